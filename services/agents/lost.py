"""Messages that nobody would ever take: unknown priorities, and those that kill their workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import datetime

import orjson
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import RawStreamMsg
from nats.js.errors import APIError, NotFoundError

from services.agents.intake import made_id
from services.agents.manager import Manager
from shared.bus import Bus
from shared.errors import InvalidInput, SovereignError
from shared.events.base import Reason
from shared.events.dead import DeadLetter
from shared.reading import Stored, read_subject
from shared.streams import PRIORITIES, STEPS, TASKS, TASKS_CONTROL
from shared.subjects import dead, token
from shared.work import as_text

log = logging.getLogger(__name__)

EVERY_S = 3.0
QUEUES = {stream.name for stream in (TASKS, STEPS, TASKS_CONTROL)}
KNOWN = {f"task.request.{priority}" for priority in PRIORITIES}


class Strays:
    """Requests under a priority that does not exist go to DEAD; no consumer would see them."""

    def __init__(self, manager: Manager) -> None:
        self._room = manager.room

    async def run(self) -> None:
        """Look now and then until cancelled; trouble with the bus is logged and looked past."""
        while True:
            try:
                await self.look()
            except (SovereignError, NatsError, APIError, TimeoutError) as error:
                log.warning("the stream TASKS could not be looked at: %s", error)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Set aside every stray that is there now."""
        info = await self._room.bus.js.stream_info(TASKS.name, subjects_filter="task.request.*")
        for subject in set(info.state.subjects or {}) - KNOWN:
            for stored in await read_subject(self._room.bus, TASKS.name, subject):
                await self._bury(stored)

    async def _bury(self, stored: Stored) -> None:
        known = ", ".join(PRIORITIES)
        line = f"priority must be one of {known}, not {stored.subject.split('.')[-1]}"
        reason = Reason(code=InvalidInput.code, message=line[:300], field="priority")
        await set_aside(self._room.bus, TASKS.name, stored, reason)


class Advisories:
    """Takes the server's word that a message was delivered too often."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._room = manager.room

    async def take(self, message: Msg) -> None:
        """Put the message into DEAD and end its task with `max_deliveries`."""
        advisory = orjson.loads(message.data)
        stream, consumer = str(advisory["stream"]), str(advisory["consumer"])
        try:
            raw = await self._room.bus.js.get_msg(stream, int(advisory["stream_seq"]))
        except NotFoundError:
            return
        line = f"given up after {advisory.get('deliveries')} deliveries to {consumer}"
        reason = Reason(code="max_deliveries", message=line)
        stored = Stored(int(raw.seq or 0), str(raw.subject), bytes(raw.data or b""))
        await set_aside(self._room.bus, stream, stored, reason)
        task_id = task_of(raw, consumer)
        if task_id is not None:
            await self._manager.fail(task_id, reason)


async def set_aside(bus: Bus, stream: str, stored: Stored, reason: Reason) -> None:
    """Put a stored message into DEAD, then take it out of its queue; safe to repeat."""
    text, encoding = as_text(stored.data)
    letter = DeadLetter(
        stream=stream,
        subject=stored.subject,
        reason=reason,
        payload=text,
        payload_encoding=encoding,
        seq=stored.seq,
        by=bus.source,
    )
    await bus.publish(dead(stream), letter, f"dead.{stream}.{stored.seq}")
    if stream in QUEUES:
        with contextlib.suppress(NotFoundError):
            await bus.js.delete_msg(stream, stored.seq)


def task_of(raw: RawStreamMsg, consumer: str) -> str | None:
    """Return the task that a message of ours was about, or None when it was not ours."""
    subject = str(raw.subject)
    if subject.startswith("task.request."):
        return _body(raw, "task_id") or made_id(_time(raw), int(raw.seq or 0))
    if subject.startswith("task.step."):
        return _body(raw, "task_id")
    mine = consumer == "manager" and subject.startswith(("agent.result.", "task.control."))
    return subject.split(".")[-1] if mine else None


def _body(raw: RawStreamMsg, name: str) -> str | None:
    """Return a token in the JSON of a message, or None."""
    try:
        return token(orjson.loads(raw.data or b"{}")[name])
    except (orjson.JSONDecodeError, KeyError, TypeError, InvalidInput):
        return None


def _time(raw: RawStreamMsg) -> datetime:
    """Return when the server stored a message."""
    return raw.time if isinstance(raw.time, datetime) else datetime.fromisoformat(str(raw.time))
