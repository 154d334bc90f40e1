"""Answers `model.savings`, `model.report` and `model.sovereignty` from the record."""

from __future__ import annotations

from dataclasses import dataclass

from services.router import house, recent, sovereignty
from services.router.accounts import Accounts
from services.router.advice import weights
from services.router.cache import Cache
from services.router.embedding.booking import Booking
from services.router.embedding.vectors import VectorCache
from services.router.policy.policy import Policy
from services.router.pool.engine import PoolEngine
from services.router.record import Record
from services.router.report import report
from services.router.savings import savings
from shared.bus import Bus
from shared.events import Empty, OptimizationReport, Recommendation, Savings, Sovereignty
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class ReportHandlers:
    """Reads; changes nothing."""

    settings: Settings
    record: Record
    accounts: Accounts
    cache: Cache
    pool: PoolEngine | None
    bus: Bus
    policy: Policy
    booking: Booking
    vectors: VectorCache

    async def savings(self, _: Empty) -> Savings:
        """Return what was saved."""
        return await savings(self.record, self.accounts, self.booking)

    async def report(self, _: Empty) -> OptimizationReport:
        """Return how well the model is used."""
        found = await recent.read(self.record)
        made = report(found, self.cache.status(), self.settings.router)
        more = (*made.recommendations, *self._more(found))
        changes = {"recommendations": more, "vectors": self.vectors.status()}
        return made.model_copy(update=changes)

    async def advise(self) -> tuple[Recommendation, ...]:
        """Return the report's recommendations."""
        return (await self.report(Empty())).recommendations

    def _more(self, found: recent.Recent) -> tuple[Recommendation, ...]:
        """Return what the pool's and the models' own figures speak for."""
        known = {host.name: host.weight for host in self.pool.hosts} if self.pool else {}
        return (*weights(found, known), *self.policy.better())

    async def sovereignty(self, _: Empty) -> Sovereignty:
        """Return how much stays at home."""
        models = self.pool.models if self.pool else ()
        disabled = await self._cloud_disabled()
        facts = await sovereignty.gather(self.record, self.settings, models, disabled)
        return sovereignty.judge(facts, house.parts(await house.look(self.bus)))

    async def _cloud_disabled(self) -> bool | None:
        return await self.pool.cloud_disabled() if self.pool else None
