"""One delivered step: admitted, started in the journal, worked on by its owner, then acked."""

from __future__ import annotations

import asyncio
import contextlib
import logging

import anyio
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.agents.admission import Verdict, admit
from services.agents.crew import AgentSpec
from services.agents.ending import Ending, publish_result
from services.agents.journal import Stale
from services.agents.owner import Owner, enter_waiting
from services.agents.record import TaskRecord
from services.agents.room import Room
from shared.bus import decode
from shared.errors import Cancelled, InvalidInput, SovereignError
from shared.events.journal import StepStarted
from shared.events.tasks import RunStep, StepResult
from shared.streams import Consumer
from shared.subjects import dead
from shared.work import bury, kept, letter, settle

log = logging.getLogger(__name__)

AGAIN_S = 1.0
"""Pause before a step that met passing trouble is delivered again; doubled each time."""
LONGEST_AGAIN_S = 15.0


class StepWork:
    """The handling of one message of one agent."""

    def __init__(self, room: Room, spec: AgentSpec, message: Msg, consumer: Consumer) -> None:
        self._room = room
        self._spec = spec
        self._message = message
        self._consumer = consumer
        self._held: tuple[TaskRecord, Owner] | None = None
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
            await self._give_back(self._pause_s())
        except Exception as error:
            log.exception("%s failed", self._message.subject)
            await self._collapse(error)
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
        owner = Owner(self._room, self._spec, command, record.seq)
        self._held = record, owner
        self.result = await owner.work(record)
        self._held = None

    async def _refuse(self, record: TaskRecord, command: RunStep, verdict: Verdict) -> None:
        """Do what is left to do for a step that must not run."""
        step = record.steps[command.step_id]
        if verdict is Verdict.REPEAT and step.result is not None:
            await publish_result(self._room.bus, step.result)
        elif verdict is Verdict.WAIT:
            await enter_waiting(self._room, record, command.step_id)
        elif verdict in (Verdict.GIVE_UP, Verdict.ABANDON):
            await self._give_up(record, command, verdict)

    async def _give_up(self, record: TaskRecord, command: RunStep, verdict: Verdict) -> None:
        """End a step whose workers died; the killer of workers goes to DEAD."""
        step = record.steps[command.step_id]
        owner = Owner(self._room, self._spec, command, step.owner)
        if verdict is Verdict.ABANDON:
            line = "another step failed, and this worker died"
            await owner.end(record, Ending(error=Cancelled(line)))
            return
        error = _TooOften(f"started {step.starts} times, and no worker lived to end it")
        await owner.end(record, Ending(error=error))
        await self._tell_dead(error)

    async def _tell_dead(self, error: SovereignError) -> None:
        meta = self._message.metadata
        await self._room.bus.publish(
            dead(meta.stream),
            letter(self._message, self._consumer.name, error, self._room.bus.source),
            f"dead.{meta.stream}.{meta.sequence.stream}",
        )

    async def _collapse(self, error: Exception) -> None:
        """End a step that met a fault of ours: a further try would meet it again.

        Where even that fails the message goes to DEAD, which ends its task.
        """
        try:
            await self._end_held(error)
        except Stale:
            log.info("%s: another worker has this step", self._message.subject)
        except (SovereignError, NatsError, TimeoutError):
            await settle(self._message.nak(delay=self._pause_s()))
        except Exception as last:
            await bury(self._room.bus, self._message, self._consumer, last)
        else:
            await settle(self._message.ack_sync())

    async def _end_held(self, error: Exception) -> None:
        if self._held is None:
            raise error
        record, owner = self._held
        self.result = await owner.end(record, Ending(error=error))

    async def _give_back(self, delay_s: float | None = None) -> None:
        """Let go in good order: another worker may go on, at once or after `delay_s`."""
        if self._held is not None:
            record, owner = self._held
            with contextlib.suppress(Stale, SovereignError, NatsError, TimeoutError):
                await owner.release(record)
        await settle(self._message.nak(delay=delay_s))

    def _pause_s(self) -> float:
        doubled = min(self._message.metadata.num_delivered - 1, 10)
        return float(min(AGAIN_S * 2**doubled, LONGEST_AGAIN_S))


class _TooOften(SovereignError):
    code = "max_deliveries"
