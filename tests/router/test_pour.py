import asyncio

import pytest

from services.router import pour
from services.router.pour import Pour
from tests.router.conftest import until


class Reader:
    """Takes events as slowly as its gate says."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def tell(self, events: bytes) -> None:
        await self.gate.wait()
        self.packets.append(events)


async def test_what_comes_in_one_breath_goes_out_in_one_packet():
    reader = Reader()
    async with Pour(reader.tell) as poured:
        for event in (b"a", b"b", b"c"):
            await poured.put(event)
        await until(lambda: reader.packets)
        await poured.put(b"d")
    assert reader.packets == [b"abc", b"d"]


async def test_a_reader_far_behind_makes_the_engine_wait(monkeypatch):
    monkeypatch.setattr(pour, "ROOM", 10)
    reader = Reader()
    reader.gate.clear()
    async with Pour(reader.tell) as poured:
        await poured.put(b"x" * 8)
        await until(lambda: not poured._held)
        late = asyncio.create_task(poured.put(b"y" * 20))
        await until(lambda: poured._held)
        assert not late.done()
        reader.gate.set()
        await late
    assert b"".join(reader.packets) == b"x" * 8 + b"y" * 20


async def test_what_was_said_before_an_error_still_goes_out():
    reader = Reader()
    try:
        async with Pour(reader.tell) as poured:
            await poured.put(b"a")
            raise ValueError
    except ValueError:
        pass
    assert reader.packets == [b"a"]


async def broken(_: bytes) -> None:
    raise ConnectionError("nobody there")


async def test_a_stream_that_cannot_be_sent_fails_and_does_not_wait(monkeypatch):
    monkeypatch.setattr(pour, "ROOM", 10)
    with pytest.raises(ConnectionError, match="nobody there"):
        async with asyncio.timeout(30), Pour(broken) as poured:
            await poured.put(b"x" * 20)
