"""One delivered step: started, performed and ended in the journal, its result sent, then acked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time

import anyio
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.agents.admission import Verdict, admit
from services.agents.crew import AgentSpec
from services.agents.decide import exhausted
from services.agents.ending import Ending, ended, outcome, publish_result
from services.agents.journal import Stale
from services.agents.perform import Performer
from services.agents.record import TaskRecord
from services.agents.room import Room
from shared.bus import decode
from shared.clock import now
from shared.errors import Cancelled, InvalidInput, NeedsModel, SovereignError
from shared.events.base import Reason
from shared.events.journal import StepEnded, StepReleased, StepStarted, StepWaiting
from shared.events.tasks import RunStep, StepResult, TaskState
from shared.streams import Consumer
from shared.subjects import dead
from shared.work import bury, kept, letter, reason_of, settle

log = logging.getLogger(__name__)

LATE = Reason(code="deadline", message="the time for this task is over", field="deadline")
AGAIN_S = 1.0
"""Pause before a step that met trouble with the bus is delivered again."""


class StepWork:
    """The handling of one message of one agent."""

    def __init__(self, room: Room, spec: AgentSpec, message: Msg, consumer: Consumer) -> None:
        self._room = room
        self._spec = spec
        self._message = message
        self._consumer = consumer
        self._held: tuple[TaskRecord, Performer] | None = None
        self.result: StepResult | None = None

    async def run(self) -> None:
        """Do it and settle the message; a step that now belongs to another is left alone."""
        try:
            async with kept(self._message, self._consumer.ack_wait_s):
                await self._handle(decode(self._message.data, RunStep))
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1.0):
                await self._give_back()
            raise
        except Stale:
            log.info("%s: another worker has this step", self._message.subject)
        except InvalidInput as error:
            await bury(self._room.bus, self._message, self._consumer, error)
        except (SovereignError, NatsError, TimeoutError) as error:
            log.warning("%s: %s; again soon", self._message.subject, error)
            await self._give_back(AGAIN_S)
        else:
            await settle(self._message.ack_sync())

    async def _handle(self, command: RunStep) -> None:
        record = await self._record(command)
        while True:
            verdict = admit(record, command, self._room.settings.agents.max_deliver)
            if verdict is not Verdict.RUN:
                await self._refuse(record, command, verdict)
                return
            try:
                record = await self._start(record, command)
            except Stale:
                record = await self._room.journal.read(command.task_id)
            else:
                await self._own(record, command)
                return

    async def _record(self, command: RunStep) -> TaskRecord:
        """Return the task's record: the remembered one if the step may run, else as stored now."""
        journal = self._room.journal
        record = await journal.recent(command.task_id)
        most = self._room.settings.agents.max_deliver
        known = record is not None and command.step_id in record.steps
        if record is not None and known and admit(record, command, most) is Verdict.RUN:
            return record
        record = await journal.find(command.task_id)
        if record is None or command.step_id not in record.steps:
            raise InvalidInput(f"no step {command.step_id} in {command.task_id}", field="step_id")
        return record

    async def _start(self, record: TaskRecord, command: RunStep) -> TaskRecord:
        entry = StepStarted(
            step_id=command.step_id,
            attempt=command.attempt,
            worker=self._room.instance,
            host=self._room.host,
            by=self._room.instance,
        )
        seen = record.steps[command.step_id].starts
        most = self._room.settings.agents.max_deliver

        def free(later: TaskRecord) -> bool:
            same = later.steps[command.step_id].starts == seen
            return same and admit(later, command, most) is Verdict.RUN

        return await self._room.journal.insist(record, entry, free)

    async def _own(self, record: TaskRecord, command: RunStep) -> None:
        """Work as the step's owner until it has ended or waits."""
        performer = Performer(self._room, self._spec, command.step_id, record.seq)
        self._held = record, performer
        self._room.views.show(record)
        await self._room.live.step(record, record.steps[command.step_id])
        started = time.monotonic()
        ending = await self._ending(record, performer)
        seconds = time.monotonic() - started
        if isinstance(ending.error, NeedsModel):
            await self._wait(record, command, performer, ending.error)
        else:
            await self._end(record, command, performer, ended(record, command, ending, seconds))

    async def _ending(self, record: TaskRecord, performer: Performer) -> Ending:
        """Return how the work came out: an output, or a typed error."""
        ending = Ending()
        with (
            self._room.running.hold(record.task_id) as taken_back,
            anyio.move_on_after(_seconds_left(record)) as late,
        ):
            ending = await outcome(performer, record)
        if taken_back.cancelled_caught:
            return Ending(error=Cancelled("taken back by a person"))
        if late.cancelled_caught:
            return Ending(
                reason=exhausted(record, now()) or Reason(code="deadline", message="late")
            )
        return ending

    async def _end(
        self, record: TaskRecord, command: RunStep, performer: Performer, result: StepResult
    ) -> None:
        kind = "step_finished" if result.state is TaskState.DONE else "step_failed"
        entry = StepEnded.model_validate(
            {"kind": kind, "result": result, "by": self._room.instance}
        )
        record = await self._room.journal.insist(record, entry, performer.entitled)
        self._held = None
        self.result = result
        await publish_result(self._room.bus, result)
        self._room.views.show(record)
        await self._room.live.step(record, record.steps[command.step_id])

    async def _wait(
        self, record: TaskRecord, command: RunStep, performer: Performer, error: NeedsModel
    ) -> None:
        """Have the step wait for a model; it holds no worker meanwhile."""
        entry = StepWaiting(
            step_id=command.step_id,
            attempt=command.attempt,
            reason=reason_of(error),
            by=self._room.instance,
        )
        record = await self._room.journal.insist(record, entry, performer.entitled)
        self._held = None
        await self._enter(record, command)
        await self._room.live.step(record, record.steps[command.step_id])

    async def _enter(self, record: TaskRecord, command: RunStep) -> None:
        await self._room.waiting.step(record, record.steps[command.step_id])
        await self._room.views.store(record)

    async def _refuse(self, record: TaskRecord, command: RunStep, verdict: Verdict) -> None:
        """Do what is left to do for a step that must not run."""
        step = record.steps[command.step_id]
        if verdict is Verdict.REPEAT and step.result is not None:
            await publish_result(self._room.bus, step.result)
        elif verdict is Verdict.WAIT:
            await self._enter(record, command)
        elif verdict in (Verdict.GIVE_UP, Verdict.ABANDON):
            await self._give_up(record, command, verdict)

    async def _give_up(self, record: TaskRecord, command: RunStep, verdict: Verdict) -> None:
        """End a step whose workers died; the killer of workers goes to DEAD."""
        step = record.steps[command.step_id]
        performer = Performer(self._room, self._spec, command.step_id, step.owner or 0)
        if verdict is Verdict.ABANDON:
            ending = Ending(error=Cancelled("another step failed, and this worker died"))
            await self._end(record, command, performer, ended(record, command, ending, 0.0))
            return
        line = f"started {step.starts} times, and no worker lived to end it"
        reason = Reason(code="max_deliveries", message=line)
        result = ended(record, command, Ending(reason=reason), 0.0)
        await self._end(record, command, performer, result)
        await self._tell_dead(_TooOften(line))

    async def _tell_dead(self, error: SovereignError) -> None:
        meta = self._message.metadata
        await self._room.bus.publish(
            dead(meta.stream),
            letter(self._message, self._consumer.name, error, self._room.bus.source),
            f"dead.{meta.stream}.{meta.sequence.stream}",
        )

    async def _give_back(self, delay_s: float | None = None) -> None:
        """Let go in good order: another worker may go on, at once or after `delay_s`."""
        if self._held is not None:
            record, performer = self._held
            name = performer.step_id
            entry = StepReleased(
                step_id=name, attempt=record.steps[name].attempt, by=self._room.instance
            )
            with contextlib.suppress(Stale, SovereignError, NatsError, TimeoutError):
                await self._room.journal.insist(record, entry, performer.entitled)
        await settle(self._message.nak(delay=delay_s))


class _TooOften(SovereignError):
    code = "max_deliveries"


def _seconds_left(record: TaskRecord) -> float:
    deadline = record.deadline
    return math.inf if deadline is None else max(0.0, (deadline - now()).total_seconds())
