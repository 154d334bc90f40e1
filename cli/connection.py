"""One connection a command: fails at once with a line that tells how to start a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pydantic import BaseModel

from shared.bus import Bus, open_bus
from shared.errors import Unavailable
from shared.settings import Settings, load

Result = TypeVar("Result")
Reply = TypeVar("Reply", bound=BaseModel)

ANSWERERS = {"model": "router", "agent": "agents", "session": "sessions"}
"""Which service answers a family of subjects, where the two names differ."""


def run(work: Callable[[Bus, Settings], Awaitable[Result]]) -> Result:
    """Run `work` with a bus; a connection that is lost is made again while it lasts."""
    settings = load()

    async def inside() -> Result:
        async with open_bus(settings, "cli") as bus:
            return await work(bus, settings)

    return asyncio.run(inside())


def ask(subject: str, body: BaseModel, reply: type[Reply], timeout_s: float = 5.0) -> Reply:
    """Connect, ask once, and return the typed reply."""

    async def work(bus: Bus, _: Settings) -> Reply:
        return await request(bus, subject, body, reply, timeout_s)

    return run(work)


async def request(
    bus: Bus, subject: str, body: BaseModel, reply: type[Reply], timeout_s: float = 5.0
) -> Reply:
    """Ask on an open bus; when nobody answers, say which service is not there."""
    try:
        return await bus.request(subject, body, reply, timeout_s)
    except Unavailable as error:
        raise nobody(subject, error) from error


def nobody(subject: str, error: Unavailable) -> Unavailable:
    """Return the error with the next command to type, when it is about a missing service."""
    if not error.message.startswith("nobody answers"):
        return error
    family = subject.split(".")[0]
    service = ANSWERERS.get(family, family)
    return Unavailable(
        f"{service} does not answer ({subject}): start it with `sovereign run {service}`,"
        " or see `sovereign status`"
    )
