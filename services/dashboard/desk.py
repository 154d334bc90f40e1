"""What people do from here: hand in tasks, look them up, wait for them, speak on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from services.dashboard.store import Store
from shared.bus import Bus, decode
from shared.errors import NotFound, Refused, TimedOut, Unavailable
from shared.events import TaskControl, TaskRequest, TaskResult, TaskState, TaskView
from shared.events.tasks import Priority
from shared.ids import ulid
from shared.reading import last_of
from shared.settings import Settings
from shared.streams import RESULTS, TASK_VIEWS
from shared.subjects import agent_result, task_control, task_request, token

PUBLISH_S = 5.0


@dataclass(frozen=True)
class Ticket:
    """A task that the bus acknowledged; `duplicate` when this id had been handed in before."""

    task: TaskRequest
    priority: Priority
    duplicate: bool

    @property
    def task_id(self) -> str:
        """The id, made here when the sender gave none."""
        return str(self.task.task_id)


class Desk:
    """Commands to the crew. Raises typed errors; changes nothing when `read_only` is set.

    `closing` is set when the dashboard leaves: whoever waits is answered with what is known.
    """

    def __init__(self, bus: Bus, store: Store, settings: Settings) -> None:
        self.bus = bus
        self.store = store
        self.read_only = settings.dashboard.read_only
        self.closing = anyio.Event()

    async def submit(self, tasks: Sequence[TaskRequest]) -> list[Ticket]:
        """Publish all in order; the same id twice is one task, so a repeat is harmless.

        A failure in the middle is `TimedOut` naming how many are stored.
        """
        self.must_be_writable()
        if not self.bus.nc.is_reconnecting:  # a short loss is waited out, a bus never met is not
            self.must_reach()
        named = [with_id(task) for task in tasks]
        tickets: list[Ticket] = []
        for task in named:
            try:
                tickets.append(await self._hand_in(task))
            except TimedOut as error:
                raise TimedOut(_half_done(named, len(tickets))) from error
        return tickets

    async def _hand_in(self, task: TaskRequest) -> Ticket:
        priority = task.priority or Priority.NORMAL
        task_id = str(task.task_id)
        ack = await self.bus.publish(task_request(priority), task, task_id, within_s=PUBLISH_S)
        self.store.crew.take_request(task, priority)
        return Ticket(task, priority, bool(ack.duplicate))

    async def control(self, word: TaskControl) -> None:
        """Publish a person's word on a task, and a step, that is known; else `NotFound`."""
        self.must_be_writable()
        view = await self.view(word.task_id)
        if view is None:
            raise NotFound(f"no task {word.task_id}", field="task_id")
        if word.step is not None and not self._has(view, word.step):
            raise NotFound(f"task {word.task_id} has no step {word.step}", field="step")
        msg_id = f"control.{word.task_id}.{ulid()}"
        await self.bus.publish(task_control(word.task_id), word, msg_id, within_s=PUBLISH_S)

    def _has(self, view: TaskView, step_id: str) -> bool:
        """Tell whether a task has this step, or one of this name is known to wait."""
        known = (view.task_id, step_id) in self.store.crew.waits
        return known or step_id in [step.id for step in view.steps]

    async def view(self, task_id: str) -> TaskView | None:
        """Return how a task stands: as the manager wrote it, else as it was handed in here."""
        subject = f"$KV.{TASK_VIEWS.name}.{token(task_id, 'task_id')}"
        self.must_reach()
        stored = await last_of(self.bus, f"KV_{TASK_VIEWS.name}", subject)
        if stored is None or not stored.data:
            return self.store.crew.tasks.get(task_id)
        return decode(stored.data, TaskView)

    async def result(self, task_id: str) -> TaskResult | None:
        """Return the final answer of a task, if there is one."""
        subject = agent_result("crew", task_id)
        self.must_reach()
        stored = await last_of(self.bus, RESULTS.name, subject)
        return decode(stored.data, TaskResult) if stored and stored.data else None

    async def state(self, task_id: str) -> TaskState:
        """Return the state of a task; queued while nobody has looked at it."""
        view = await self.view(task_id)
        return view.state if view else TaskState.QUEUED

    def must_reach(self) -> None:
        """Raise `Unavailable` at once while the bus is lost, instead of waiting for a time-out."""
        if not self.bus.nc.is_connected:
            raise Unavailable("the bus is lost; try again", retry_after_s=2)

    def must_be_writable(self) -> None:
        """Raise `Refused` when this dashboard only shows."""
        if self.read_only:
            raise Refused("this dashboard is read-only (SOVEREIGN_DASHBOARD__READ_ONLY)")


def with_id(task: TaskRequest) -> TaskRequest:
    """Return the task with an id, made if it has none."""
    return task if task.task_id else task.model_copy(update={"task_id": ulid()})


def _half_done(tasks: Sequence[TaskRequest], stored: int) -> str:
    ids = ", ".join(str(task.task_id) for task in tasks)
    return (
        f"{stored} of {len(tasks)} tasks are stored, the next was not acknowledged in time;"
        f" send them again with the same ids: {ids}"
    )[:2000]
