"""Events from the bus into the store: thin, typed, and never stopped by a bad message."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from faststream.nats import NatsBroker, NatsMessage
from pydantic import BaseModel

from services.dashboard.store import Store
from shared.bus import decode
from shared.errors import SovereignError
from shared.events import Beat, CacheEvent, CostEvent, LiveUpdate, OpsEvent, StepResult, TaskResult
from shared.settings import Settings

TOLD: tuple[tuple[str, type[BaseModel]], ...] = (
    ("health.beat.>", Beat),
    ("cache.event.*", CacheEvent),
    ("cost.event", CostEvent),
    ("ops.event.*", OpsEvent),
    ("agent.result.>", StepResult),
    ("task.live.*", LiveUpdate),
)
"""Subjects that the dashboard hears, and what stands in them."""


def make_broker(settings: Settings, store: Store) -> NatsBroker:
    """Return a broker that folds everything it hears into `store`."""
    from shared.broker import make_broker as plain

    broker = plain(settings, "dashboard")
    for subject, kind in TOLD:
        broker.subscriber(subject)(hearing(store, kind))
    return broker


def hearing(store: Store, kind: type[BaseModel]) -> Callable[[NatsMessage], Awaitable[None]]:
    """Return the handler of one family of subjects."""

    async def heard(message: NatsMessage) -> None:
        subject = message.raw_message.subject
        body = TaskResult if subject.startswith("agent.result.crew.") else kind
        try:
            store.apply(decode(message.raw_message.data, body))
        except SovereignError as error:
            store.refuse(subject, error.message)

    return heard
