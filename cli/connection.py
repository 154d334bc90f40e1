"""One connection a command: fails at once with a line that tells how to start a server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.bus import Bus, open_bus
from shared.errors import Refused, Unavailable
from shared.settings import Settings, load

Result = TypeVar("Result")
Reply = TypeVar("Reply", bound=BaseModel)

ANSWERERS = {"model": "router", "agent": "agents", "session": "sessions"}
"""Which service answers a family of subjects, where the two names differ."""


def run(work: Callable[[Bus, Settings], Awaitable[Result]]) -> Result:
    """Run `work` with a bus; a connection that is lost is made again while it lasts."""
    settings = load()

    async def inside() -> Result:
        denied: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        def heed(error: Exception) -> None:
            if "permissions violation" in str(error).lower() and not denied.done():
                denied.set_exception(no_right(settings, error))

        async with open_bus(settings, "cli", heed) as bus:
            return await first_of(asyncio.ensure_future(work(bus, settings)), denied)

    return asyncio.run(inside())


async def first_of(work: asyncio.Future[Result], denied: asyncio.Future[Any]) -> Result:
    """Return what `work` comes to, or raise at once what the server denied to it."""
    try:
        await asyncio.wait({work, denied}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            denied.result()
        return work.result()
    finally:
        work.cancel()
        await asyncio.wait({work})
        if not denied.cancel():
            denied.exception()  # it was seen, even if the work came to its end all the same


def no_right(settings: Settings, error: Exception) -> Refused:
    """Return the refusal with the way to the right."""
    what = str(error).removeprefix("nats: ").strip("'")
    return Refused(f"you are a guest on this bus ({what}): {way_in(settings)}")


def way_in(settings: Settings) -> str:
    """Return how a guest of the bus becomes its owner, or a user of it."""
    if settings.nats.url is None:
        return "run this in the folder of `sovereign up`, or name its data with SOVEREIGN_DATA_DIR"
    return "name the key of a user who may with SOVEREIGN_NATS__NKEY_FILE"


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
