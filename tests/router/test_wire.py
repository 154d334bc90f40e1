"""The wire against servers of bare bytes, which do what no framework would."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from services.router.ollama import wire
from services.router.ollama.client import OllamaClient
from services.router.ollama.wire import Cut, Wire
from shared.errors import EngineFailed, Refused, Unavailable

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class Server:
    """Answers each request of each connection with the next of `answers`, then hangs up."""

    def __init__(self, *answers: list[bytes]) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []

    async def serve(self, reader, writer):
        for answer in self.answers.pop(0):
            head = await reader.readuntil(b"\r\n\r\n")
            self.asked.append(head + await reader.readexactly(2))
            writer.write(answer)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def wired(*answers: list[bytes]):
    server = Server(*answers)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    made = Wire(url, 2.0)
    try:
        yield made, server
    finally:
        made.close()
        listening.close()


async def post(made: Wire) -> bytes:
    async with made.post("/api/chat", b"{}") as answer:
        return await answer.read()


async def test_a_connection_is_used_again():
    async with wired([OK, OK]) as (made, server):
        assert [await post(made), await post(made)] == [b"hello"] * 2
    assert server.answers == []
    assert b"POST /api/chat HTTP/1.1\r\nHost: 127.0.0.1:" in server.asked[0]


async def test_a_kept_connection_that_is_gone_is_replaced_in_silence():
    async with wired([OK], [OK]) as (made, server):
        assert [await post(made), await post(made)] == [b"hello"] * 2
    assert len(server.asked) == 2


async def test_an_answer_in_chunks_and_pieces_is_put_together():
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    async with wired([head + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"]) as (made, _):
        assert await post(made) == b"hello"


@pytest.mark.parametrize(
    "answer", [OK[:-2], b"HTTP/1.1 200 OK\r\ncontent-le", b"nonsense\r\n", b""]
)
async def test_what_ends_too_soon_is_cut(answer):
    async with wired([answer]) as (made, _):
        with pytest.raises(Cut):
            await post(made)


async def test_what_the_reader_leaves_behind_is_not_taken_for_the_next_answer():
    async with wired([OK, OK], [OK]) as (made, _):
        async with made.post("/", b"{}"):
            pass
        assert await post(made) == b"hello"


async def test_a_server_that_sends_faster_than_it_is_read_has_to_wait(monkeypatch):
    monkeypatch.setattr(wire, "MUCH", 1000)
    size = 300_000
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size + b"x" * size
    async with wired([answer]) as (made, _):
        assert len(await post(made)) == size


async def test_errors_of_the_client_tell_cut_from_absent():
    async with wired([OK[:-2]]) as (made, _):
        client = OllamaClient(f"http://127.0.0.1:{made._port}")
        with pytest.raises(EngineFailed, match="cut"):
            async with client.stream("/api/chat", {}) as answer:
                await answer.read()
        await client.close()
    nobody = OllamaClient("http://127.0.0.1:1")
    with pytest.raises(Unavailable):
        async with nobody.stream("/api/chat", {}):
            pass


async def test_c7_a_refusal_without_a_word_is_explained():
    async with wired([b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"]) as (made, _):
        client = OllamaClient(f"http://127.0.0.1:{made._port}")
        with pytest.raises(Refused, match="ask it by its address"):
            async with client.stream("/api/chat", {}):
                pass
        await client.close()


def test_tls_and_passwords_are_left_to_others():
    urls = ("https://a", "http://user:word@a", "http://a:1/b")
    assert [Wire.takes(url) for url in urls] == [False, False, True]
