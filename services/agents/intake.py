"""New tasks: checked, given an id, put into the journal once; the same id twice is one task."""

from __future__ import annotations

from datetime import datetime

from nats.aio.msg import Msg

from services.agents.control import cancelled_before
from services.agents.manager import Manager
from services.agents.planning import plan_by_rule
from services.agents.record import TaskRecord
from shared.bus import decode
from shared.errors import Conflict, InvalidInput, NotFound
from shared.events.journal import TaskQueued
from shared.events.tasks import Priority, TaskRequest
from shared.ids import ALPHABET
from shared.schema_check import usable
from shared.work import reason_of

PATIENT_DELIVERIES = 5
"""Deliveries in which a task that this one depends on may still arrive."""


class Intake:
    """Takes messages of the stream TASKS."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._room = manager.room

    async def take(self, message: Msg) -> None:
        """Bring one request into the journal and on its way; raise `InvalidInput` naming a field.

        A repeated delivery goes on where the journal ends; another message with the same id is
        the same task and changes nothing. A request that could never run is a task that failed.
        """
        request = decode(message.data, TaskRequest)
        seq = message.metadata.sequence.stream
        task_id = request.task_id or made_id(message.metadata.timestamp, seq)
        given = request.model_copy(update={"task_id": task_id})
        record = await self._known(message, given) or await self._open(message, given)
        if record.origin_seq == seq:
            await self._manager.advance(record)

    async def _known(self, message: Msg, request: TaskRequest) -> TaskRecord | None:
        """Return what the journal has of a task that may not be new, before its files are stowed.

        A first delivery without files is appended straight away: the fence finds a repetition.
        """
        if message.metadata.num_delivered == 1 and not request.attachments:
            return None
        return await self._room.journal.find(str(request.task_id))

    async def _open(self, message: Msg, request: TaskRequest) -> TaskRecord:
        try:
            await self._check(message, request)
            stowed = await self._room.attachments.stow(request)
        except InvalidInput as error:
            await self._refuse(message, request, error)
            raise
        try:
            record = await self._enter(message, stowed)
        except Conflict:
            return await self._room.journal.read(str(request.task_id))
        return await cancelled_before(self._room, record)

    async def _enter(self, message: Msg, request: TaskRequest) -> TaskRecord:
        entry = TaskQueued(
            request=request,
            priority=Priority(message.subject.split(".")[-1]),
            origin_seq=message.metadata.sequence.stream,
            by=self._room.instance,
        )
        return await self._room.journal.open(str(request.task_id), entry)

    async def _refuse(self, message: Msg, request: TaskRequest, error: InvalidInput) -> None:
        """End the task as failed before it began: whoever submitted it waits for its result.

        A task that is there under the same id is another message's, and is left alone.
        """
        try:
            record = await self._enter(message, request.model_copy(update={"attachments": ()}))
        except Conflict:
            return
        await self._manager.fail(record.task_id, reason_of(error))

    async def _check(self, message: Msg, request: TaskRequest) -> None:
        """Refuse what could never run; an agent or template that is unknown is found here."""
        plan_by_rule(request, self._room.crew)
        _check_schema(request)
        if request.task_id in request.depends_on:
            raise InvalidInput("depends_on: a task cannot wait for itself", field="depends_on")
        for name in request.depends_on:
            if await self._room.journal.find(name) is None:
                self._unknown(message, name)

    def _unknown(self, message: Msg, name: str) -> None:
        """Ask for another delivery while the other task may be on its way, then refuse."""
        line = f"depends_on: there is no task {name}"
        if message.metadata.num_delivered < PATIENT_DELIVERIES:
            raise NotFound(line, field="depends_on")
        raise InvalidInput(line, field="depends_on")


def _check_schema(request: TaskRequest) -> None:
    """Refuse a schema that no answer could be checked with: a model would be asked in vain."""
    wrong = usable(request.output_schema) if request.output_schema is not None else None
    if wrong is not None:
        raise InvalidInput(f"output_schema: {wrong}", field="output_schema")


def made_id(stored_at: datetime, seq: int) -> str:
    """Return an id for a task that came without: a ULID of its message's time and sequence.

    Every delivery of the same message gives the same id.
    """
    number = int(stored_at.timestamp() * 1000) << 80 | seq
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
