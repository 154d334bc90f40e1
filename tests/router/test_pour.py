import asyncio
from collections.abc import Awaitable, Callable

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


async def test_the_first_piece_goes_out_at_once_and_those_of_one_breath_together():
    reader = Reader()
    async with Pour(reader.tell) as poured:
        await poured.put(b"first")
        assert reader.packets == [b"first"]
        for event in (b"a", b"b", b"c"):
            await poured.put(event)
        await until(lambda: len(reader.packets) == 2)
        await poured.put(b"d")
    assert reader.packets == [b"first", b"abc", b"d"]


async def test_a_reader_far_behind_makes_the_engine_wait(monkeypatch):
    monkeypatch.setattr(pour, "ROOM", 10)
    reader = Reader()
    async with Pour(reader.tell) as poured:
        await poured.put(b"")
        reader.gate.clear()
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


def breaking() -> Callable[[bytes], Awaitable[None]]:
    """Return what sends one piece, and no more."""
    sent: list[bytes] = []

    async def send(piece: bytes) -> None:
        sent.append(piece)
        if len(sent) > 1:
            raise ConnectionError("nobody there")

    return send


async def test_a_stream_that_cannot_be_sent_fails_and_does_not_wait(monkeypatch):
    monkeypatch.setattr(pour, "ROOM", 10)
    with pytest.raises(ConnectionError, match="nobody there"):
        async with asyncio.timeout(30), Pour(breaking()) as poured:
            await poured.put(b"first")
            await poured.put(b"x" * 20)


async def test_who_is_cancelled_waits_for_no_reader():
    reader = Reader()

    async def pour_out() -> None:
        async with Pour(reader.tell) as poured:
            await poured.put(b"")
            reader.gate.clear()
            await poured.put(b"unread")
            await asyncio.Event().wait()

    pouring = asyncio.create_task(pour_out())
    await until(lambda: not reader.gate.is_set())
    await asyncio.sleep(0)  # the reader is waited for
    pouring.cancel()
    done, _ = await asyncio.wait((pouring,), timeout=30)
    reader.gate.set()
    assert pouring in done
