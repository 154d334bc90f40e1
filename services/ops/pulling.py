"""A missing model: offered with its size, fetched only when somebody says yes."""

from __future__ import annotations

import asyncio
import logging
import sys

import anyio

from shared.bus import Bus, decode, encode
from shared.errors import SovereignError
from shared.events.models import EngineStatus
from shared.events.reports import PullAsk, PullProgress
from shared.headers import cloud_event
from shared.settings import Settings
from shared.subscriptions import let_go

log = logging.getLogger(__name__)

SIZES = {"llama3.1:8b": "4.7 GB"}
"""What the default model weighs, from its page at ollama.com; others are offered without."""

SILENT_S = 60.0


async def offer(bus: Bus, settings: Settings, engine: EngineStatus | None, pull: bool) -> None:
    """Fetch the model that Ollama lacks when `pull` is set or a person at a terminal says yes."""
    if engine is None or engine.state != "model_missing":
        return
    model = settings.router.model
    if pull or (sys.stdin.isatty() and await _agreed(model)):
        await fetch(bus, model)
    else:
        _tell(f"to use a language model: ollama pull {model}, or start again with --pull")


async def fetch(bus: Bus, model: str) -> bool:
    """Have the router pull `model`, with a line for each step; tell whether it came."""
    inbox = bus.nc.new_inbox()
    replies = await bus.nc.subscribe(inbox)
    shown = ""
    try:
        ask = PullAsk(model=model)
        headers = cloud_event("PullAsk", bus.source)
        await bus.nc.publish("model.pull", encode(ask), reply=inbox, headers=headers)
        while True:
            progress = decode((await replies.next_msg(timeout=SILENT_S)).data, PullProgress)
            line = progress_line(progress)
            if line != shown:
                _tell(line)
                shown = line
            if progress.type == "final":
                return True
    except (SovereignError, TimeoutError, asyncio.TimeoutError) as error:  # noqa: UP041 - nats has its own
        _tell(f"pull {model}: {error or 'no word from the router'}")
        return False
    finally:
        await let_go(replies)


def progress_line(progress: PullProgress) -> str:
    """Return one line: the step, and how much of it is done in whole percent."""
    if not progress.total:
        return f"pull {progress.model}: {progress.status}"
    percent = 100 * (progress.completed or 0) // progress.total
    return f"pull {progress.model}: {progress.status} {percent} %"


async def _agreed(model: str) -> bool:
    """Ask at the terminal; silence is no."""
    size = f" ({SIZES[model]})" if model in SIZES else ""
    print(f"Pull {model}{size}? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    await anyio.wait_readable(sys.stdin)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201
