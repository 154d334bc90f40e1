"""Changes to the router that a recommendation proposed: applied, taken back, compared."""

from __future__ import annotations

from cli.connection import ask
from cli.output import say, show, table, tell
from cli.wishes import person
from shared.events.reports import Empty
from shared.events.tuning import TuningAsk, TuningChange, TuningChanges, TuningMeasure


def apply(recommendation: str, value: str | None, as_json: bool) -> None:
    """Apply a recommendation."""
    wish = TuningAsk(id=recommendation, value=value, by=person())
    show(ask("model.apply", wish, TuningChange), as_json, _applied)


def rollback(change: str, as_json: bool) -> None:
    """Take a change back."""
    wish = TuningAsk(id=change, by=person())
    show(ask("model.rollback", wish, TuningChange), as_json, _taken_back)


def changes(as_json: bool) -> None:
    """List all changes."""
    show(ask("model.changes", Empty(), TuningChanges), as_json, _changes)


def _applied(change: TuningChange) -> None:
    tell(f"{change.setting}: {change.before or 'not set'} -> {change.after}")
    tell(f"to take it back: sovereign optimization rollback {change.id}")


def _taken_back(change: TuningChange) -> None:
    tell(f"{change.setting}: {change.after} -> {change.before or 'not set'}")


def _changes(found: TuningChanges) -> None:
    if not found.changes:
        say("nothing was changed: `sovereign optimization report` shows what could be")
        return
    columns = ("id", "setting", "from", "to", "state", "measured", "before", "after", "verdict")
    table(columns, [_change(change) for change in found.changes])


def _change(change: TuningChange) -> tuple[object, ...]:
    return (
        change.id, change.setting, change.before, change.after, change.state, change.metric,
        _measure(change.measured_before), _measure(change.measured_after), change.verdict,
    )  # fmt: skip


def _measure(found: TuningMeasure | None) -> str | None:
    if found is None or found.value is None:
        return None
    return f"{found.value:.1%} of {found.calls} calls"
