"""Events from the bus into the store: thin, typed, and never stopped by a bad message.

Plain subscriptions: of a thousand messages a second each passes here, and FastStream's way of a
message costs several times what the store does with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from nats.aio.msg import Msg
from pydantic import BaseModel

from services.dashboard.store import Store
from shared.bus import Bus, decode
from shared.errors import SovereignError
from shared.events import Beat, CacheEvent, CostEvent, LiveUpdate, OpsEvent, StepResult, TaskResult
from shared.subscriptions import subscribed

TOLD: tuple[tuple[str, type[BaseModel]], ...] = (
    ("health.beat.>", Beat),
    ("cache.event.*", CacheEvent),
    ("cost.event", CostEvent),
    ("ops.event.*", OpsEvent),
    ("agent.result.>", StepResult),
    ("task.live.*", LiveUpdate),
)
"""Subjects that the dashboard hears, and what stands in them."""


@asynccontextmanager
async def listening(bus: Bus, store: Store) -> AsyncIterator[None]:
    """Fold everything that is told into `store` while the body runs."""
    async with subscribed(bus.nc, [(one, hearing(store, kind)) for one, kind in TOLD]):
        yield


def hearing(store: Store, kind: type[BaseModel]) -> Callable[[Msg], Awaitable[None]]:
    """Return the handler of one family of subjects."""

    async def heard(message: Msg) -> None:
        body = TaskResult if message.subject.startswith("agent.result.crew.") else kind
        try:
            store.apply(decode(message.data, body))
        except SovereignError as error:
            store.refuse(message.subject, error.message)

    return heard
