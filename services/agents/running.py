"""Which tasks this process works on, so that a person's cancel reaches the work at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import anyio


class Running:
    """Cancel scopes by task."""

    def __init__(self) -> None:
        self._scopes: defaultdict[str, set[anyio.CancelScope]] = defaultdict(set)

    @contextmanager
    def hold(self, task_id: str) -> Iterator[anyio.CancelScope]:
        """Yield a scope that `cancel(task_id)` ends."""
        with anyio.CancelScope() as scope:
            self._scopes[task_id].add(scope)
            try:
                yield scope
            finally:
                self._scopes[task_id].discard(scope)
                if not self._scopes[task_id]:
                    del self._scopes[task_id]

    def cancel(self, task_id: str) -> None:
        """End all work on a task in this process."""
        for scope in tuple(self._scopes.get(task_id, ())):
            scope.cancel()
