"""A core of its own for one process, and the others for all that is measured with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def own_core(pid: int | None, others: Iterable[int]) -> Iterator[None]:
    """Keep the process on the last core, and this one and `others` off it, during the body.

    Nothing is done without a process, on a machine with one core, or where it cannot be said.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if pid is None or len(cores) < 2:
        yield
        return
    rest = {os.getpid(), *others} - {pid}
    for one in rest:
        _keep(one, cores[:-1])
    _keep(pid, cores[-1:])
    try:
        yield
    finally:
        for one in (pid, *rest):
            _keep(one, cores)


def _keep(pid: int, cores: list[int]) -> None:
    """Threads have cores of their own: each is told; one that has just ended needs none."""
    for thread in list(Path(f"/proc/{pid}/task").iterdir()):
        with suppress(ProcessLookupError):
            os.sched_setaffinity(int(thread.name), cores)
