import random
from contextlib import aclosing

import orjson
import pytest

from services.router.ollama.stream import lines
from shared.errors import EngineFailed, ModelMissing


class Response:
    """An answer that arrives in these blocks."""

    def __init__(self, blocks: list[bytes]) -> None:
        self.blocks = blocks

    @property
    def content(self) -> "Response":
        return self

    async def iter_any(self):
        for block in self.blocks:
            yield block


async def read(*blocks: bytes) -> list[dict]:
    async with aclosing(lines(Response(list(blocks)))) as told:
        return [line async for line in told]


def cut(data: bytes, seed: int) -> list[bytes]:
    chance = random.Random(seed)
    places = sorted(chance.sample(range(1, len(data)), 12))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.mark.parametrize("seed", range(20))
async def test_lines_come_whole_wherever_the_network_cuts(seed):
    sent = [{"message": {"content": f"Grüße {n}"}, "done": n == 4} for n in range(5)]
    data = b"".join(orjson.dumps(line) + b"\n" for line in sent)
    assert await read(*cut(data, seed)) == sent


async def test_a_last_line_needs_no_newline_and_empty_ones_do_not_count():
    assert await read(b'\n\n{"done":true}') == [{"done": True}]


@pytest.mark.parametrize("line", [b'{"half', b"[1]", b"<html>", b"\xff\xfe"])
async def test_what_is_no_object_is_a_fault(line):
    with pytest.raises(EngineFailed, match="not a JSON object"):
        await read(line + b"\n")


async def test_an_error_line_becomes_its_own_type():
    with pytest.raises(ModelMissing):
        await read(b'{"error":"model \'x\' not found"}\n')


async def test_a_line_without_end_is_given_up():
    with pytest.raises(EngineFailed, match="16 MiB"):
        await read(*[b"x" * (1 << 20)] * 17)
