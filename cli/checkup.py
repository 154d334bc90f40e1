"""The list of checks of `sovereign doctor`, run side by side."""

from __future__ import annotations

import asyncio

from cli.examination import bus, engine, entrance, host
from cli.findings import Finding, failed
from shared.errors import InvalidSetting
from shared.settings import Settings, load


def examine() -> list[Finding]:
    """Return a finding for each check; a wrong setting ends the list, since all others need it."""
    first = [host.python(), host.packages()]
    try:
        settings = load()
    except InvalidSetting as error:
        fix = "correct it, then `sovereign config show` tells every value and its source"
        return [*first, failed("settings", error.message, fix)]
    return [*first, *asyncio.run(_examine(settings))]


async def _examine(settings: Settings) -> list[Finding]:
    local = asyncio.to_thread(host.local, settings)
    groups = await asyncio.gather(
        local, bus.examine(settings), host.ports(settings), engine.examine(settings)
    )
    return [entrance.entrance(settings), *(finding for group in groups for finding in group)]
