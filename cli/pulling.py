"""Fetching a model through the router, with its progress."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

from cli.confirming import agree
from cli.connection import nobody, run
from cli.output import console, emit_json, say
from cli.wishes import build
from shared.bus import Bus, decode, encode
from shared.errors import TimedOut, Unavailable
from shared.events.reports import PullAsk, PullProgress
from shared.settings import Settings

SILENCE_S = 120.0
"""Seconds without any progress after which the pull is given up."""

PULL = "model.pull"


def pull(model: str | None, yes: bool, as_json: bool, host: str = "") -> None:
    """Fetch the model into the named host, or the first; print its progress on stderr."""

    async def work(bus: Bus, settings: Settings) -> PullProgress:
        wish = build(PullAsk, {"model": model or settings.router.model, "host": host})
        agree(f"fetch {wish.model}, maybe gigabytes", yes=yes)
        with _meter() as meter:
            last = None
            async for last in _progress(bus, wish):
                meter.show(last)
        return last or PullProgress(type="final", model=wish.model, status="success")

    final = run(work)
    if as_json:
        emit_json(final)
    else:
        say(f"{final.model}: {final.status}")


async def _progress(bus: Bus, wish: PullAsk) -> AsyncIterator[PullProgress]:
    inbox = bus.nc.new_inbox()
    replies = await bus.nc.subscribe(inbox)
    await bus.nc.publish(PULL, encode(wish), reply=inbox)
    while True:
        try:
            message = await replies.next_msg(timeout=SILENCE_S)
        except TimeoutError:
            raise TimedOut(f"no progress for {SILENCE_S:g} s: ask again to go on") from None
        if (message.headers or {}).get("Status") == "503":
            raise nobody(PULL, Unavailable("nobody answers"))
        progress = decode(message.data, PullProgress)
        yield progress
        if progress.type == "final":
            return


class _Plain:
    """A line on stderr for each new status."""

    def __init__(self) -> None:
        self._status = ""

    def show(self, progress: PullProgress) -> None:
        if progress.status != self._status:
            self._status = progress.status
            say(f"{progress.model}: {progress.status}")


class _Bar:
    """A bar on a terminal, one for all layers: bytes of the present one."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=None)

    def show(self, update: PullProgress) -> None:
        self._progress.update(
            self._task,
            description=update.status,
            total=update.total,
            completed=update.completed or 0,
        )


@contextmanager
def _meter() -> Iterator[_Plain | _Bar]:
    """Yield a bar on a terminal, plain lines anywhere else."""
    if not sys.stderr.isatty():
        yield _Plain()
        return
    columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console(err=True)) as progress:
        yield _Bar(progress)
