"""Messages that nobody would ever take: unknown priorities, and those that kill their workers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import APIError, NotFoundError

from services.agents.intake import made_id
from services.agents.manager import Manager
from services.agents.record import TaskRecord
from shared.bus import Bus, decode
from shared.errors import InvalidInput, SovereignError
from shared.events.base import Reason
from shared.events.dead import DeadLetter
from shared.reading import Stored, read_subject
from shared.streams import PRIORITIES, RESULTS, STEPS, TASKS, Stream
from shared.subjects import TOKEN_PATTERN, dead
from shared.work import as_text

log = logging.getLogger(__name__)

EVERY_S = 3.0
KNOWN = {f"task.request.{priority}" for priority in PRIORITIES}


class Strays:
    """Messages of queues that no consumer would ever see go to DEAD.

    Those are requests under a priority that does not exist, and steps of an agent or a priority
    that nobody serves.
    """

    def __init__(self, manager: Manager) -> None:
        self._room = manager.room

    async def run(self) -> None:
        """Look now and then until cancelled; trouble with the bus is logged and looked past."""
        while True:
            try:
                await self.look()
            except (SovereignError, NatsError, APIError, TimeoutError) as error:
                log.warning("the queues could not be looked at for strays: %s", error)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Set aside every stray that is there now."""
        for subject in await self._subjects(TASKS) - KNOWN:
            await self._bury(TASKS, subject, _wrong_priority(subject))
        for subject in await self._subjects(STEPS):
            reason = await self._unserved(subject)
            if reason is not None:
                await self._bury(STEPS, subject, reason)

    async def _subjects(self, stream: Stream) -> set[str]:
        [wanted] = stream.subjects
        info = await self._room.bus.js.stream_info(stream.name, subjects_filter=wanted)
        return set(info.state.subjects or {})

    async def _unserved(self, subject: str) -> Reason | None:
        """Return why nobody takes steps from `subject`; another process may have other agents."""
        _, _, agent, priority = subject.split(".")
        if priority not in PRIORITIES:
            return _wrong_priority(subject)
        if agent in self._room.crew or await self._served_elsewhere(agent, priority):
            return None
        known = ", ".join(sorted(self._room.crew))
        line = f"no agent {agent!r}; there are {known}"
        return Reason(code=InvalidInput.code, message=line[:300], field="agent")

    async def _served_elsewhere(self, agent: str, priority: str) -> bool:
        if not re.fullmatch(TOKEN_PATTERN, agent):
            return False
        try:
            await self._room.bus.js.consumer_info(STEPS.name, f"{agent}-{priority}")
        except NotFoundError:
            return False
        return True

    async def _bury(self, stream: Stream, subject: str, reason: Reason) -> None:
        for stored in await read_subject(self._room.bus, stream.name, subject):
            await set_aside(self._room.bus, stream.name, stored, reason)


class Letters:
    """Ends tasks whose own messages went to DEAD, by whoever's hand: they would wait for ever."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._room = manager.room

    async def take(self, message: Msg) -> None:
        """End the task of one letter; letters about bad input concern no task that goes on."""
        letter = decode(message.data, DeadLetter)
        if letter.reason.code == InvalidInput.code and letter.stream != STEPS.name:
            return
        task_id = task_of(letter)
        record = await self._room.journal.find(task_id) if task_id else None
        if record is not None and record.end is None and concerns(letter, record):
            await self._manager.fail(record.task_id, letter.reason)


def _wrong_priority(subject: str) -> Reason:
    line = f"priority must be one of {', '.join(PRIORITIES)}, not {subject.split('.')[-1]}"
    return Reason(code=InvalidInput.code, message=line[:300], field="priority")


async def set_aside(bus: Bus, stream: str, stored: Stored, reason: Reason) -> None:
    """Put a message of a queue into DEAD, then take it out; safe to repeat."""
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
    with contextlib.suppress(NotFoundError):
        await bus.js.delete_msg(stream, stored.seq)


def task_of(letter: DeadLetter) -> str | None:
    """Return the id of the task that a letter's message was about, or None."""
    if letter.stream == STEPS.name:
        return _field(letter, "task_id")
    if letter.stream == RESULTS.name and letter.consumer == "manager":
        return letter.subject.split(".")[-1]
    if letter.stream != TASKS.name:
        return None
    if letter.stored_at is None or letter.seq is None:
        return _field(letter, "task_id")
    return _field(letter, "task_id") or made_id(letter.stored_at, letter.seq)


def concerns(letter: DeadLetter, record: TaskRecord) -> bool:
    """Tell whether the task cannot go on without the letter's message."""
    if letter.stream == TASKS.name:
        return record.origin_seq == letter.seq
    if letter.stream == STEPS.name:
        step = record.steps.get(_field(letter, "step_id") or "")
        return step is not None and not step.ended
    return True


def _field(letter: DeadLetter, name: str) -> str | None:
    """Return a token in the letter's JSON, which may be cut at its end, or None."""
    found = re.search(rf'"{name}"\s*:\s*"([A-Za-z0-9_-]{{1,64}})"', letter.payload)
    return found.group(1) if found else None
