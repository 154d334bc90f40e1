"""Reading what a stream holds of one subject, in one request (batched direct get, ADR-31)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import orjson
from nats.aio.msg import Msg

from shared.bus import Bus
from shared.errors import TimedOut, Unavailable
from shared.subscriptions import let_go

BATCH = 500


@dataclass(frozen=True)
class Stored:
    """One stored message and its stream sequence."""

    seq: int
    subject: str
    data: bytes


async def read_subject(bus: Bus, stream: str, subject: str, after_seq: int = 0) -> list[Stored]:
    """Return all messages of `subject` (wildcards allowed) with a sequence above `after_seq`."""
    found: list[Stored] = []
    while True:
        page = await read_page(bus, stream, subject, after_seq)
        found += page
        if len(page) < BATCH:
            return found
        after_seq = page[-1].seq


async def last_of(bus: Bus, stream: str, subject: str) -> Stored | None:
    """Return the last message of one exact subject, or None."""
    page = await _ask(bus, stream, {"last_by_subj": subject})
    return page[0] if page else None


async def read_page(
    bus: Bus, stream: str, subject: str, after_seq: int = 0, *, batch: int = BATCH
) -> list[Stored]:
    """Return up to `batch` messages of `subject` after `after_seq`; fewer mean that was all."""
    question = {"seq": after_seq + 1, "next_by_subj": subject, "batch": batch}
    return await _ask(bus, stream, question)


async def _ask(bus: Bus, stream: str, question: dict[str, object]) -> list[Stored]:
    """Send one direct get; collect its replies until the server says that they are all there."""
    inbox = bus.nc.new_inbox()
    replies = await bus.nc.subscribe(inbox)
    page: list[Stored] = []
    try:
        await bus.nc.publish(f"$JS.API.DIRECT.GET.{stream}", orjson.dumps(question), inbox)
        while True:
            message = await replies.next_msg(timeout=5.0)
            status = (message.headers or {}).get("Status")
            if status == "503":
                raise Unavailable(f"stream {stream} cannot be read: no such stream or no server")
            if status is not None:
                return page
            page.append(_stored(message))
            if "batch" not in question:
                return page
    except (TimeoutError, asyncio.TimeoutError) as error:  # noqa: UP041 - nats has its own
        raise TimedOut(f"stream {stream}: no answer in 5 s") from error
    finally:
        await let_go(replies)


def _stored(message: Msg) -> Stored:
    headers = message.headers or {}
    return Stored(int(headers["Nats-Sequence"]), headers["Nats-Subject"], message.data)
