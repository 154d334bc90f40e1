"""A task told again from its journal, without a model: pure, and the same on every host."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson

from services.agents.closing import slim
from services.agents.decide import Next, decide
from services.agents.fold import Numbered, extend
from services.agents.record import TaskRecord
from services.agents.retold import retold
from services.agents.summary import result_of, view_of
from shared.bus import encode
from shared.errors import InvalidInput, NotFound
from shared.events import journal as j
from shared.events.replay import ReplayAsk, ReplayedResult, ReplayLine, TaskReplay

Results = Mapping[int, bytes]
"""The stored final result of each run, as its bytes."""


def replay(
    ask: ReplayAsk,
    entries: Iterable[Numbered],
    stored: Results,
    guarded: Collection[str] = (),
) -> TaskReplay:
    """Return the task's story; `guarded` are the agents that always ask a person first.

    Raises `NotFound` where nothing of the task is kept up to `ask.until`, and `InvalidInput`
    naming the entry that does not fit what came before it.
    """
    told = _Telling(ask.task_id, stored, guarded)
    for seq, entry in entries:
        if ask.until is not None and seq > ask.until:
            break
        told.take(seq, entry)
    record = told.record
    if record is None:
        raise NotFound(f"there is no task {ask.task_id}", field="task_id")
    return TaskReplay(
        task_id=record.task_id,
        title=record.request.title,
        view=view_of(record),
        lines=tuple(told.lines),
        results=tuple(told.results),
        calls=told.calls,
        starts=told.starts,
        verified=bool(told.results) and all(each.same for each in told.results),
    )


class _Telling:
    """Folds entry after entry and remembers what each one led to."""

    def __init__(self, task_id: str, stored: Results, guarded: Collection[str]) -> None:
        self._task_id = task_id
        self._stored = stored
        self._guarded = guarded
        self.record: TaskRecord | None = None
        self.lines: list[ReplayLine] = []
        self.results: list[ReplayedResult] = []
        self.calls = 0
        self.starts = 0

    def take(self, seq: int, entry: j.AnyEntry) -> None:
        before = self.record
        try:
            record = extend(before, self._task_id, [(seq, entry)])
        except (LookupError, TypeError, ValueError) as error:
            line = f"entry {seq} ({entry.kind}) does not fit the ones before it: {error!r}"
            raise InvalidInput(line, field="journal") from error
        if record is None:
            return
        self.record = record
        self.calls += isinstance(entry, j.ModelAnswered)
        self.starts += isinstance(entry, j.StepStarted)
        self.lines.append(_line(seq, entry, record, self._guarded))
        if isinstance(entry, j.TaskFinished) and before is not None and before.end is None:
            self.results.append(compared(record, self._stored.get(record.run)))


def _line(seq: int, entry: j.AnyEntry, record: TaskRecord, guarded: Collection[str]) -> ReplayLine:
    return ReplayLine(
        seq=seq,
        at=entry.at,
        seconds=(entry.at - record.queued_at).total_seconds(),
        by=entry.by,
        kind=entry.kind,
        step_id=_step_of(entry),
        text=retold(entry),
        state=record.state,
        decided=_moves(decide(record, entry.at, guarded)),
    )


def _step_of(entry: j.AnyEntry) -> str | None:
    if isinstance(entry, j.StepEnded):
        return entry.result.step_id
    if isinstance(entry, j.ControlReceived):
        return entry.control.step
    return getattr(entry, "step_id", None)


def _moves(move: Next) -> tuple[str, ...]:
    """Return what the manager does next, in words."""
    if move.finish is not None:
        return (f"end: {move.finish.state}",)
    if move.plan:
        return ("plan",)
    asked = [f"ask a person about {step.step.id}" for step in move.ask]
    return (*asked, *(f"hand {step.step.id} to {step.step.agent}" for step in move.dispatch))


def compared(record: TaskRecord, stored: bytes | None) -> ReplayedResult:
    """Return whether the result that follows from the record is the stored one, byte for byte."""
    made = result_of(record)
    state = made.state
    if stored is None:
        return ReplayedResult(run=made.run, state=state, stored=False)
    if stored in (encode(made), encode(slim(made))):
        return ReplayedResult(run=made.run, state=state, stored=True, same=True)
    differs = _differing(made.model_dump(mode="json"), orjson.loads(stored))
    return ReplayedResult(run=made.run, state=state, stored=True, differs=differs)


def _differing(made: dict[str, Any], stored: dict[str, Any]) -> tuple[str, ...]:
    names = sorted({*made, *stored})
    return tuple(name for name in names if made.get(name) != stored.get(name)) or ("form",)
