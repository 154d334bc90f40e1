"""What the crew does: the tasks as they stand, why steps wait, what is being written now."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import datetime

from shared.clock import now
from shared.events import LiveUpdate, Reason, TaskRequest, TaskResult, TaskState, TaskView
from shared.events.tasks import FINAL_STATES, Priority

MOST_TASKS = 2000
MOST_LIVE_TASKS = 50
LIVE_CHARACTERS = 8000


@dataclass(frozen=True)
class Wait:
    """Why one step waits. `code` is for programs, `message` for people."""

    task_id: str
    step_id: str
    code: str
    message: str


class Crew:
    """Tasks by id, the latest last; bounded, since a page shows the present and not history."""

    def __init__(self) -> None:
        self.tasks: OrderedDict[str, TaskView] = OrderedDict()
        self.waits: dict[tuple[str, str], Wait] = {}
        self.live: OrderedDict[str, dict[str, str]] = OrderedDict()

    def take_view(self, view: TaskView) -> None:
        """Take the present state of one task."""
        self.tasks[view.task_id] = view
        self.tasks.move_to_end(view.task_id)
        if view.state in FINAL_STATES:
            self.live.pop(view.task_id, None)
        while len(self.tasks) > MOST_TASKS:
            self.tasks.popitem(last=False)

    def take_request(self, task: TaskRequest, priority: Priority) -> None:
        """Show a task that was just handed in, until the manager tells more."""
        if task.task_id is None or task.task_id in self.tasks:
            return
        self.tasks[task.task_id] = TaskView(
            task_id=task.task_id, title=task.title, priority=priority, state=TaskState.QUEUED,
            created_at=now(), updated_at=now(), session=task.session,
        )  # fmt: skip

    def take_result(self, result: TaskResult) -> None:
        """Close a task that is known here, ahead of its next view."""
        known = self.tasks.get(result.task_id)
        if known is None or known.state in FINAL_STATES:
            return
        change = {
            "state": result.state, "updated_at": result.at, "reason": result.reason,
            "engine": result.engine,
        }  # fmt: skip
        self.take_view(known.model_copy(update=change))

    def take_live(self, update: LiveUpdate) -> None:
        """Keep the end of what each step writes."""
        if update.kind != "text" or update.step_id is None:
            return
        steps = self.live.setdefault(update.task_id, {})
        if len(steps) < 32 or update.step_id in steps:
            text = steps.get(update.step_id, "") + update.text
            steps[update.step_id] = text[-LIVE_CHARACTERS:]
        while len(self.live) > MOST_LIVE_TASKS:
            self.live.popitem(last=False)

    def forget(self, task_id: str) -> None:
        """Drop a task whose record was deleted."""
        self.tasks.pop(task_id, None)

    def take_wait(self, task_id: str, step_id: str, reason: Reason | None) -> None:
        """Note why a step waits; None when it goes on."""
        if reason is None:
            self.waits.pop((task_id, step_id), None)
        else:
            self.waits[task_id, step_id] = Wait(task_id, step_id, reason.code, reason.message)

    def counts(self) -> Counter[TaskState]:
        """Return how many tasks stand in each state."""
        return Counter(view.state for view in self.tasks.values())

    def latest(self, limit: int, state: TaskState | None = None, query: str = "") -> list[TaskView]:
        """Return the tasks that were made last, the newest first; `query` is part of a title."""
        wanted = query.casefold()
        chosen = [
            one
            for one in self.tasks.values()
            if (state is None or one.state == state) and wanted in one.title.casefold()
        ]
        return sorted(chosen, key=lambda one: one.created_at, reverse=True)[:limit]

    def waiting_because(self) -> str:
        """Return the commonest reason of waiting, in plain words; empty when nothing waits."""
        messages = Counter(wait.message for wait in self.waits.values())
        return messages.most_common(1)[0][0] if messages else ""

    def asks_people(self) -> int:
        """Return how many steps wait for a person's word."""
        return sum(1 for wait in self.waits.values() if wait.code == "approval")

    def finished_since(self, instant: datetime) -> int:
        """Return how many tasks ended after `instant`."""
        return sum(
            1
            for view in self.tasks.values()
            if view.state in FINAL_STATES and view.updated_at > instant
        )
