"""A small real service for tests: `python sample_service.py NAME`, misbehaving on demand."""

import os
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

from shared.events import EngineStatus, OpsHistoryAsk
from shared.events.reports import Empty
from shared.service import main

NAME = sys.argv[1] if len(sys.argv) > 1 else "sample"


@asynccontextmanager
async def lifespan(service):
    async def block(_: Empty) -> Empty:
        time.sleep(3600)  # noqa: ASYNC251 - a wedged loop is the point
        return Empty()

    async def nap(ask: OpsHistoryAsk) -> Empty:
        time.sleep(ask.limit / 10)  # noqa: ASYNC251
        return Empty()

    speak = service.heart.beat

    async def mute(_: Empty) -> Empty:
        """Send no beats, as if the bus were cut off, while the loop runs; then send them again."""
        service.heart.beat = speak if service.heart.beat is _silently else _silently
        return Empty()

    async def grow(ask: OpsHistoryAsk) -> Empty:
        held.append(b"x" * (ask.limit * 1024**2))
        return Empty()

    held: list[bytes] = []
    if NAME == "match":
        await service.endpoints.answer("match.mute", Empty, mute)
        await service.endpoints.answer("match.grow", OpsHistoryAsk, grow)
        await service.endpoints.answer("match.block", Empty, block)
        await service.endpoints.answer("match.nap", OpsHistoryAsk, nap)
    if NAME == "router":
        engine = EngineStatus(engine="offline", setting="auto", state="absent", is_llm=False)
        service.heart.info = lambda: {"engine": engine.model_dump(mode="json")}
    yield


async def _silently() -> None:
    """Say nothing."""


def misbehave(folder: Path) -> None:
    """Crash or refuse at the start, as a file in the data folder says."""
    if (folder / f"crash-{NAME}").exists():
        raise RuntimeError("told to crash")
    if (folder / f"usage-{NAME}").exists():
        print("SOVEREIGN_SAMPLE: told to refuse", file=sys.stderr)  # noqa: T201
        sys.exit(2)


if __name__ == "__main__":
    misbehave(Path(os.environ["SOVEREIGN_DATA_DIR"]))
    main(NAME, "sample_service")
