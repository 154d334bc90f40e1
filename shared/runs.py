"""The runs of one task: a retry begins another, and makes history of the result before it."""

from __future__ import annotations

from shared.events.tasks import TaskResult, TaskView


def present(view: TaskView | None, result: TaskResult | None) -> TaskResult | None:
    """Return the result if it is of the run that the view shows, or of a later one; else None."""
    if result is None or (view is not None and result.run < view.run):
        return None
    return result
