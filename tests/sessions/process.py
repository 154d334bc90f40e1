"""The service as a real process on the test's server."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(settings) -> dict[str, str]:
    return os.environ | {
        "SOVEREIGN_NATS__URL": settings.nats.url,
        "SOVEREIGN_DATA_DIR": str(settings.data_dir),
        "PYTHONPATH": str(ROOT),
    }


@contextlib.asynccontextmanager
async def running(bus, settings):
    """Yield the process when it has said that it is ready."""
    beats = await bus.nc.subscribe("health.beat.sessions.*")
    await bus.nc.flush()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.sessions", env=environment(settings)
    )
    try:
        while b'"state":"ready"' not in (await beats.next_msg(timeout=30)).data:
            pass
        await beats.unsubscribe()  # what nobody reads would hold up the bus when it closes
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
