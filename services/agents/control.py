"""People's words on tasks (cancel, approve, reject, retry, pause): checked, then journaled."""

from __future__ import annotations

from nats.aio.msg import Msg

from services.agents.manager import Manager
from services.agents.record import StepRecord, TaskRecord
from services.agents.room import Room
from shared.bus import decode
from shared.errors import Conflict, InvalidInput
from shared.events.journal import ControlReceived
from shared.events.tasks import WAITS_FOR_PERSON, TaskControl, TaskState
from shared.reading import Stored, read_subject
from shared.streams import TASKS_CONTROL
from shared.subjects import task_control


class Control:
    """Takes messages of the stream TASKS_CONTROL."""

    def __init__(self, manager: Manager) -> None:
        self._manager = manager
        self._room = manager.room

    async def take(self, message: Msg) -> None:
        """Obey one word; raise `InvalidInput` when it makes no sense for the task as it is."""
        control = decode(message.data, TaskControl)
        if control.task_id != message.subject.split(".")[-1]:
            raise InvalidInput("task_id: not the one of the subject", field="task_id")
        record = await self._room.journal.read(control.task_id)
        record = await self._enter(record, control, message.metadata.sequence.stream)
        if control.action == "cancel":
            self._room.running.cancel(control.task_id)
        await self._manager.advance(record)
        if control.action == "approve" and control.step is not None:
            await self._room.waiting.remove(control.task_id, control.step)

    async def _enter(self, record: TaskRecord, control: TaskControl, seq: int) -> TaskRecord:
        """Return the record with the word in it, once."""
        entry = ControlReceived(control=control, origin_seq=seq, by=self._room.instance)
        while seq not in record.controls:
            check(record, control)
            try:
                return await self._room.journal.append(record, entry)
            except Conflict:
                record = await self._room.journal.reread(record.task_id)
        return record


async def cancelled_before(room: Room, record: TaskRecord) -> TaskRecord:
    """Return the record with a cancel in it that came before its task and waits in the queue.

    Else the task might be done before the word is delivered once more.
    """
    subject = task_control(record.task_id)
    for stored in await read_subject(room.bus, TASKS_CONTROL.name, subject):
        control = _cancel(stored)
        if control is not None and control.task_id == record.task_id and record.end is None:
            entry = ControlReceived(control=control, origin_seq=stored.seq, by=room.instance)
            return await room.journal.append(record, entry)
    return record


def _cancel(stored: Stored) -> TaskControl | None:
    """Return the word if it is a cancel; what cannot be read is buried when it is delivered."""
    try:
        control = decode(stored.data, TaskControl)
    except InvalidInput:
        return None
    return control if control.action == "cancel" else None


def check(record: TaskRecord, control: TaskControl) -> None:
    """Raise `InvalidInput` naming the field when the word does not fit the task's state."""
    step = _step(record, control.step)
    if control.action == "retry":
        _check_retry(record, step)
    elif record.end is not None:
        raise InvalidInput(f"action: the task has ended ({record.end})", field="action")
    elif control.action == "approve":
        _check_approve(step)


def _step(record: TaskRecord, name: str | None) -> StepRecord | None:
    if name is not None and name not in record.steps:
        known = ", ".join(record.steps) or "none yet"
        raise InvalidInput(f"step: no step {name}; there are: {known}", field="step")
    return record.steps[name] if name is not None else None


def _check_retry(record: TaskRecord, step: StepRecord | None) -> None:
    if record.end is None:
        raise InvalidInput(f"action: the task is {record.state}, not ended", field="action")
    if record.plan is None and record.reason and record.reason.code == InvalidInput.code:
        line = f"the task was refused ({record.reason.message[:200]}); submit it under another id"
        raise InvalidInput(f"action: {line}", field="action")
    if record.end is TaskState.DONE and step is None:
        raise InvalidInput("step: the task is done; name the step to start from", field="step")


def _check_approve(step: StepRecord | None) -> None:
    if step is None:
        raise InvalidInput("step: which step is approved?", field="step")
    if step.waiting is None or step.waiting.code not in WAITS_FOR_PERSON:
        raise InvalidInput(f"step: {step.step.id} waits for no approval", field="step")
