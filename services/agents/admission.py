"""Whether a worker may run the step that it was handed: a pure look at the task's record."""

from __future__ import annotations

from enum import Enum

from services.agents.record import TaskRecord
from shared.events.tasks import RunStep, TaskState


class Verdict(Enum):
    """What to do with a delivered `RunStep`."""

    RUN = "run it"
    DROP = "the task has ended or the step has moved on: nothing is left to do"
    REPEAT = "it has ended: send its result once more"
    WAIT = "it waits: enter it once more in the list"
    GIVE_UP = "it was started too often without an end"
    ABANDON = "another step failed while the worker of this one died"


def admit(record: TaskRecord, command: RunStep, most_starts: int) -> Verdict:
    """Return the verdict; `most_starts` is how often a step may be started without an end."""
    step = record.steps[command.step_id]
    if record.end is not None or command.attempt < step.attempt:
        return Verdict.DROP
    if step.ended:
        return Verdict.REPEAT
    if step.state is TaskState.WAITING:
        return Verdict.WAIT
    if record.failing is not None:
        return Verdict.ABANDON if step.state is TaskState.RUNNING else Verdict.DROP
    if record.cancelled is not None or record.rejected is not None:
        return Verdict.DROP
    return Verdict.GIVE_UP if step.starts >= most_starts else Verdict.RUN
