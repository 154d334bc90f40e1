"""What the router is made of besides its engines: made once, from the settings and the bus."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from services.router import clouds, prices
from services.router.accounts import Accounts
from services.router.budgets.budgets import Budgets
from services.router.budgets.sharing import Sharing
from services.router.cache import Cache
from services.router.embedding.booking import Booking
from services.router.embedding.vectors import VectorCache
from services.router.monitor.watch import Monitor
from services.router.policy.policy import Policy
from services.router.policy.quality import Quality
from services.router.pool.engine import PoolEngine
from services.router.record import Record
from services.router.shelf import Shelf
from services.router.slots import Open, Queue, Slots
from services.router.switch import Switch
from services.router.telemetry import Telemetry
from shared.service import Service
from shared.settings import RouterSettings


@dataclass(frozen=True, slots=True)
class Parts:
    """`pool` is None when the engine is another, `shelf` when answers stay in the process."""

    pool: PoolEngine | None
    slots: Queue
    telemetry: Telemetry
    cache: Cache
    vectors: VectorCache
    shelf: Shelf | None
    accounts: Accounts
    booking: Booking
    monitor: Monitor
    quality: Quality
    policy: Policy
    budgets: Budgets


async def make(service: Service, switch: Switch, record: Record, sharing: Sharing) -> Parts:
    """Return the parts, not yet at work."""
    settings, telemetry = service.settings.router, Telemetry(service.bus)
    pool = switch.primary if isinstance(switch.primary, PoolEngine) else None
    quality, monitor = Quality(record), Monitor()
    accounts, booking = await _accounts(settings, record, telemetry)
    accounts.followers.append(monitor.take)
    known = clouds.known(switch.clouds)
    return Parts(
        pool=pool,
        slots=Open(pool.places.info) if pool else Slots(settings.slots, settings.queue),
        telemetry=telemetry,
        cache=Cache(settings.cache_entries, settings.cache_ttl_s, telemetry.cache),
        vectors=VectorCache(
            settings.embed_cache_entries, settings.embed_cache_ttl_s, telemetry.cache
        ),
        shelf=_shelf(service),
        accounts=accounts,
        booking=booking,
        monitor=monitor,
        quality=quality,
        policy=Policy(settings, quality, lambda: pool.models if pool else (), known),
        budgets=Budgets(settings, record, known, sharing),
    )


def _shelf(service: Service) -> Shelf | None:
    settings = service.settings.router
    shared = settings.shared_cache and settings.cache_entries > 0
    return Shelf(service.bus, lambda: settings.cache_ttl_s) if shared else None


async def _accounts(
    settings: RouterSettings, record: Record, telemetry: Telemetry
) -> tuple[Accounts, Booking]:
    """Return what records chats, and what records embeddings, each with its reference's price."""
    chat, embed = settings.reference_model, settings.embed_reference_model
    known = await asyncio.to_thread(prices.read, prices.table(), (chat, embed))
    accounts = Accounts(record, telemetry.cost, chat, known.get(chat))
    return accounts, Booking(accounts, embed, known.get(embed))
