"""A person's word on a task: cancel, approve, reject, retry."""

from __future__ import annotations

from dataclasses import dataclass

from cli.answers import waiting_steps
from cli.connection import run
from cli.output import emit_json, tell
from cli.views import known
from cli.wishes import build, person
from shared.bus import Bus
from shared.errors import Conflict, NotFound
from shared.events.tasks import FINAL_STATES, TaskControl, TaskView
from shared.ids import ulid
from shared.settings import Settings
from shared.subjects import task_control


@dataclass(frozen=True)
class Word:
    """What a person says on a task."""

    action: str
    step: str | None = None
    reason: str = ""


def send(task_id: str, action: str, step: str | None, reason: str, as_json: bool) -> None:
    """Store the word for the manager; raise `Conflict` when it can have no effect."""
    said = Word(action, step, reason)
    word = run(lambda bus, settings: give(bus, settings, task_id, said))
    if as_json:
        emit_json(word)
    else:
        tell(f"{action} accepted for {task_id}{f', step {word.step}' if word.step else ''}")


async def give(bus: Bus, settings: Settings, task_id: str, said: Word) -> TaskControl:
    """Store the word on an open bus and return it as it is stored."""
    view = await known(bus, task_id)
    _check(view, said.action)
    fields = {
        "action": said.action,
        "task_id": task_id,
        "step": _step(view, said.action, said.step),
        "reason": said.reason,
        "by": f"{person()}@{settings.host}",
    }
    word = build(TaskControl, fields)
    await bus.publish(task_control(task_id), word, f"control-{ulid()}")
    return word


def _check(view: TaskView, action: str) -> None:
    """Refuse what cannot work: a word on a task that has ended, a retry of one that has not."""
    ended = view.state in FINAL_STATES
    if action == "retry" and not ended:
        raise Conflict(f"task {view.task_id} is still {view.state}: cancel it first")
    if action != "retry" and ended:
        raise Conflict(f"task {view.task_id} has ended: it is {view.state}")


def _step(view: TaskView, action: str, step: str | None) -> str | None:
    """Return the step that is meant: the named one, or the only one that waits for a person."""
    if step is not None and step not in (ids := [one.id for one in view.steps]):
        has = f"its steps are {', '.join(ids)}" if ids else "it has no steps yet"
        raise NotFound(f"task {view.task_id} has no step {step}: {has}")
    if step is not None or action not in ("approve", "reject"):
        return step
    waits = [one.id for one in waiting_steps(view)]
    if len(waits) == 1:
        return waits[0]
    found = f"steps {', '.join(waits)} wait: name one with --step" if waits else "no step waits"
    raise Conflict(f"task {view.task_id}: {found}")
