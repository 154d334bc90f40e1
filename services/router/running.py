"""The requests in hand, by their id, so that they can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

from shared.errors import Cancelled, SovereignError, Unavailable


class Running:
    """Requests in hand; the same id may run more than once (a redelivered step)."""

    def __init__(self) -> None:
        self._scopes: dict[str, list[anyio.CancelScope]] = {}
        self._reasons: dict[anyio.CancelScope, SovereignError] = {}
        self._idle = anyio.Event()

    def __len__(self) -> int:
        return sum(map(len, self._scopes.values()))

    @contextmanager
    def call(self, request_id: str) -> Iterator[Callable[[str], None]]:
        """Hold a request; when it is taken back, its body is cancelled and this raises why.

        What it yields takes back this one alone.
        """
        scope = anyio.CancelScope()
        self._scopes.setdefault(request_id, []).append(scope)
        try:
            with scope:
                yield lambda why: self._end([scope], Cancelled(why))
        finally:
            reason = self._reasons.pop(scope, None)
            self._forget(request_id, scope)
        if scope.cancelled_caught and reason is not None:
            raise reason

    def cancel(self, request_id: str, why: str) -> int:
        """Take back every request with this id; return how many there were."""
        scopes = self._scopes.get(request_id, [])
        self._end(scopes, Cancelled(why or f"request {request_id} was taken back"))
        return len(scopes)

    async def drain(self, seconds: float) -> None:
        """Wait for what runs; what runs longer than `seconds` is told to try elsewhere."""
        with anyio.move_on_after(seconds):
            await self._until_idle()
        for scopes in list(self._scopes.values()):
            self._end(scopes, Unavailable("this router is stopping", retry_after_s=1.0))
        with anyio.move_on_after(1.0):
            await self._until_idle()

    async def _until_idle(self) -> None:
        while self._scopes:
            self._idle = anyio.Event()
            await self._idle.wait()

    def _end(self, scopes: list[anyio.CancelScope], reason: SovereignError) -> None:
        for scope in scopes:
            self._reasons[scope] = reason
            scope.cancel()

    def _forget(self, request_id: str, scope: anyio.CancelScope) -> None:
        scopes = self._scopes[request_id]
        scopes.remove(scope)
        if not scopes:
            del self._scopes[request_id]
            self._idle.set()
