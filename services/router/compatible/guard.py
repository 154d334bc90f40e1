"""Leaves a server or a vendor alone that fails, so that the next model is asked at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.router.pool.circuit import Circuit
from shared.errors import EngineFailed, TimedOut, Unavailable

FAULTS = (EngineFailed, TimedOut, Unavailable)
"""Errors that speak against who was asked; others are the caller's, or pass."""


class Guard:
    """A circuit around one place: three failures in a row, or nobody there once, open it."""

    def __init__(self, circuit: Circuit | None = None) -> None:
        self._circuit = circuit or Circuit()

    @contextmanager
    def passing(self, who: str) -> Iterator[None]:
        """Learn from how the body ends; raise `Unavailable` while `who` is left alone."""
        if not self._circuit.allows:
            wait_s = max(1.0, round(self._circuit.opens_in_s, 1))
            raise Unavailable(f"{who} failed and is left alone for now", retry_after_s=wait_s)
        self._circuit.begin()
        try:
            yield
        except FAULTS as error:
            self._circuit.failed(at_once=isinstance(error, Unavailable))
            raise
        except BaseException:
            self._circuit.undecided()
            raise
        self._circuit.succeeded()
