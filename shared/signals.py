"""Signals to one process: leave in order, or refuse requests for a while."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio

log = logging.getLogger(__name__)

OPEN_CIRCUIT = signal.SIGUSR1
"""By a signal, since only the supervisor and the owner of the process can send one."""


class Signals:
    """What a service was told by signals.

    `stopping` is set by the first that asks it to leave, and `starting`, the scope of what runs
    before the service lives, is cancelled by it: nothing is torn down by an exception that comes
    out of nowhere, and nobody waits for a server that is not there.
    """

    def __init__(self) -> None:
        self.stopping = anyio.Event()
        self.starting = anyio.CancelScope()
        self.circuit: Callable[[], None] = _too_early

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Hear signals in the running loop while the body runs."""
        loop = asyncio.get_running_loop()
        heeds = {signal.SIGTERM: self._leave, signal.SIGINT: self._leave, OPEN_CIRCUIT: self._open}
        for number, heed in heeds.items():
            loop.add_signal_handler(number, heed, number)
        try:
            yield
        finally:
            for number in heeds:
                loop.remove_signal_handler(number)

    def _leave(self, number: signal.Signals) -> None:
        log.info("%s: draining", number.name)
        self.stopping.set()
        self.starting.cancel()

    def _open(self, _: signal.Signals) -> None:
        log.warning("the supervisor opened the circuit: requests are refused for a while")
        self.circuit()


def _too_early() -> None:
    """Do nothing: no request comes in yet."""
