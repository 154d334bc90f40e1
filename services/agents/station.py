"""One kind of agent in this process: its slots, its queues, what it is doing."""

from __future__ import annotations

import logging
import time

import anyio
import anyio.abc

from services.agents.crew import AgentSpec
from services.agents.pull import Puller, Taken
from services.agents.room import Room
from services.agents.worker import StepWork
from shared.bootstrap import ensure_consumer
from shared.events.reports import AgentInfo
from shared.events.tasks import TaskState
from shared.streams import PRIORITIES, step_consumer

log = logging.getLogger(__name__)

WITHOUT_LIMIT = -1
"""Deliveries are counted in the journal, which tells a crash from a planned stop."""


class Station:
    """Runs the steps of one agent, up to its slots at the same time."""

    def __init__(self, room: Room, spec: AgentSpec) -> None:
        self._room = room
        self._spec = spec
        self._slots = min(spec.concurrency, room.settings.agents.slots)
        self._free = anyio.Semaphore(self._slots)
        ack_wait_s = room.settings.agents.ack_wait_s
        self._consumers = {
            priority: step_consumer(spec.name, priority, ack_wait_s, WITHOUT_LIMIT)
            for priority in PRIORITIES
        }
        self._puller = Puller(room.bus, spec.name, self._consumers)
        self._current: list[str] = []
        self._done = 0
        self._failed = 0
        self._seconds = 0.0
        self._definition = spec.written()

    async def open(self) -> None:
        """Have the durables, for a user's own agent too, and listen."""
        for consumer in self._consumers.values():
            await ensure_consumer(self._room.bus, consumer)
        await self._puller.open()

    async def run(self) -> None:
        """Take and run steps until cancelled; then everything held is given back."""
        async with anyio.create_task_group() as tasks:
            while True:
                await self._free.acquire()
                taken = await self._puller.next()
                tasks.start_soon(self._work, taken)

    def look_again(self) -> None:
        """Ask the queues once more."""
        self._puller.look_again()

    def info(self) -> AgentInfo:
        """Return what `agent.status` tells of this agent."""
        return AgentInfo(
            name=self._spec.name,
            description=self._spec.description,
            instance=self._room.instance,
            host=self._room.host,
            slots=self._slots,
            busy=len(self._current),
            done=self._done,
            failed=self._failed,
            seconds=self._seconds,
            current=tuple(self._current),
            model=self._spec.model,
            tools=self._spec.tools,
            definition=self._definition,
        )

    async def _work(self, taken: Taken) -> None:
        message, consumer = taken
        work = StepWork(self._room, self._spec, message, consumer)
        name = (message.headers or {}).get("Nats-Msg-Id", message.subject)
        started = time.monotonic()
        self._current.append(name)
        try:
            await work.run()
        except Exception:
            log.exception("%s could not be settled; it will be delivered again", name)
        finally:
            self._current.remove(name)
            self._free.release()
            self._seconds += time.monotonic() - started
        if work.result is not None:
            self._done += work.result.state is TaskState.DONE
            self._failed += work.result.state is TaskState.FAILED
