"""A desk for vectors with a real record, on a fake Ollama, without the bus."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from services.router import clouds
from services.router.accounts import Accounts
from services.router.app import make_switch
from services.router.budgets.budgets import Budgets
from services.router.embedding.booking import Booking
from services.router.embedding.desk import EmbedDesk
from services.router.embedding.flights import EmbedFlights
from services.router.embedding.vectors import VectorCache
from services.router.engine import Engine
from services.router.policy.policy import Policy
from services.router.policy.quality import Quality
from services.router.prices import Price
from services.router.record import Record
from services.router.slots import Open
from shared.events import CacheEvent, CostEvent, EmbedReply, EmbedRequest
from tests.router.test_record import writing

LINES = "SELECT cache, texts, prompt_tokens, error FROM calls WHERE kind = 'embed' ORDER BY id"


@dataclass
class Bench:
    desk: EmbedDesk
    record: Record
    caches: list[CacheEvent] = field(default_factory=list)
    costs: list[CostEvent] = field(default_factory=list)

    async def embed(self, *texts: str, **fields) -> EmbedReply:
        return await self.desk.embed(EmbedRequest(input=texts, **fields))

    async def lines(self) -> list[tuple]:
        return [tuple(row) for row in await self.record.rows(LINES)]


@asynccontextmanager
async def opened(
    settings, path, price: Price | None = None, far: Engine | None = None
) -> AsyncIterator[Bench]:
    """Put the desk together as the router does; `far` stands for the cloud of this name."""
    router, caches, costs = settings.router, [], []
    async with AsyncExitStack() as stack:
        record = await stack.enter_async_context(writing(path))
        switch = await make_switch(settings)
        switch.clouds = switch.clouds if far is None else {"far": far}
        stack.push_async_callback(switch.primary.close)
        await switch.probe()
        tasks = await stack.enter_async_context(anyio.create_task_group())
        desk = EmbedDesk(
            settings=router,
            switch=switch,
            slots=Open(dict),
            cache=VectorCache(router.embed_cache_entries, 60.0, caches.append),
            flights=EmbedFlights(tasks),
            booking=Booking(Accounts(record, costs.append, "chat", None), "far-embed", price),
            policy=Policy(router, Quality(record), tuple),
            budgets=Budgets(router, record, clouds.known(switch.clouds)),
        )
        yield Bench(desk, record, caches, costs)
        tasks.cancel_scope.cancel()


@pytest.fixture
def bench(at_fake, tmp_path):
    """Return a function that opens a desk; settings of the router's group may be given."""

    def open_(price: Price | None = None, engine: str = "auto", far=None, **changes):
        group = at_fake.router.model_copy(update=changes)
        settings = at_fake.model_copy(update={"router": group, "engine": engine})
        return opened(settings, tmp_path / "calls.db", price, far)

    return open_


async def asked(fake, calls: int) -> None:
    """Return when the fake has so many calls for vectors in hand or behind it."""
    while len(fake.stats.embedded) < calls:  # noqa: ASYNC110 - it looks at what others count
        await asyncio.sleep(0.002)
