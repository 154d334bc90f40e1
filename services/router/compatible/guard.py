"""Leaves a server or a vendor alone that fails, so that the next model is asked at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.router.pool.circuit import Circuit
from shared.errors import Unavailable


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
        except BaseException as error:
            self._circuit.ended(error)
            raise
        self._circuit.succeeded()
