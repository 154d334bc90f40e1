"""Plain subscriptions that live as long as a body runs, and end whatever has happened to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Protocol

import anyio
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from shared.errors import Unavailable

Wanted = Iterable[tuple[str, Callable[[Msg], Awaitable[None]]]]
"""Subjects, each with what hears its messages."""

WITHIN_S = 1.0


class Ends(Protocol):
    """A subscription of either kind, as far as its end goes."""

    async def unsubscribe(self) -> None:
        """Hear nothing any more."""


@asynccontextmanager
async def subscribed(nc: Client, wanted: Wanted) -> AsyncIterator[None]:
    """Hear what comes on the subjects while the body runs.

    The server knows of all of them before the body begins, so nothing is missed; `Unavailable`
    when it does not answer. They end with the body, cancelled or not, and a bus that was lost
    meanwhile hides no error of the body.
    """
    heard: list[Ends] = []
    try:
        await _open(nc, wanted, heard)
        yield
    finally:
        await let_go(*heard)


async def let_go(*subscriptions: Ends) -> None:
    """End subscriptions, within a second in all; ones that are gone already are passed over.

    What still arrives for one that was left open would hold up the connection's drain.
    """
    with anyio.CancelScope(shield=True), anyio.move_on_after(WITHIN_S):
        for one in subscriptions:
            with suppress(NatsError):
                await one.unsubscribe()


async def _open(nc: Client, wanted: Wanted, heard: list[Ends]) -> None:
    try:
        for subject, hear in wanted:
            heard.append(await nc.subscribe(subject, cb=hear))
        await nc.flush()
    except (NatsError, TimeoutError, asyncio.TimeoutError) as error:  # noqa: UP041 - nats has its own
        raise Unavailable("the bus is lost; try again", retry_after_s=2) from error
