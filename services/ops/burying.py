"""Messages that were delivered too often: out of their queue, into DEAD with the reason.

A stream that is a record keeps what it holds: there only the letter is written.
"""

from __future__ import annotations

import orjson
from nats.aio.msg import Msg
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from shared.bus import Bus
from shared.errors import InvalidInput
from shared.events.base import Reason
from shared.events.dead import DeadLetter
from shared.streams import CONSUMERS, DEAD, STREAMS, Consumer
from shared.subjects import dead
from shared.work import as_text

QUEUES = frozenset(stream.name for stream in STREAMS if stream.queue)
ADVISED: Consumer = next(c for c in CONSUMERS if c.stream == "ADVISORIES")


class Undertaker:
    """Handles `MAX_DELIVERIES` advisories: a worker died with the message again and again."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def bury(self, message: Msg) -> None:
        """Store the letter, then delete the message; both may be done twice without harm."""
        stream, consumer, seq, deliveries = _advisory(message.data)
        if stream == DEAD.name:  # it is there already; a letter of a letter would never end
            return
        found = await self._find(stream, seq)
        if found is None:
            return
        text, encoding = as_text(found.data or b"")
        reason = f"delivered {deliveries} times, and no worker lived to answer"
        letter = DeadLetter(
            stream=stream,
            subject=found.subject or "",
            reason=Reason(code="max_deliveries", message=reason),
            payload=text,
            payload_encoding=encoding,
            seq=seq,
            stored_at=found.time,
            deliveries=deliveries,
            consumer=consumer,
            by=self._bus.source,
        )
        await self._bus.publish(dead(stream), letter, f"dead.{stream}.{seq}")
        if stream in QUEUES:
            await self._bus.js.delete_msg(stream, seq)

    async def _find(self, stream: str, seq: int) -> RawStreamMsg | None:
        try:
            return await self._bus.js.get_msg(stream, seq)
        except NotFoundError:
            return None


def _advisory(data: bytes) -> tuple[str, str, int, int]:
    """Return stream, consumer, sequence and deliveries; raise `InvalidInput` for anything else."""
    try:
        said = orjson.loads(data)
        return said["stream"], said["consumer"], int(said["stream_seq"]), int(said["deliveries"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(f"not an advisory: {error}") from None
