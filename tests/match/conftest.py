"""A match room on a real bus and a real file; two of them are two hosts on one stream."""

from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import pytest

from services.match.handlers import Handlers, Room
from services.match.opening import open_book
from services.match.reporter import Reporter
from services.match.writer import Writer
from shared.events import DealAsk, MatchAdd, Money, Need, Profile, Skill


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


def provider(party_id: str, **more) -> Profile:
    given = {"skills": (Skill(name="python"),), "rate": usd(7000)} | more
    return Profile(party_id=party_id, name=party_id.title(), **given)


def need(need_id: str, **more) -> Need:
    given = {"required": ("python",), "budget": usd(8000), "party_id": "acme"} | more
    return Need(need_id=need_id, title="Build an API", **given)


@dataclass
class Host:
    """One running match service, without its process."""

    book: object
    writer: Writer
    handlers: Handlers

    async def deal(self, action: str, **ask):
        return await self.handlers.deal(DealAsk(action=action, **ask))

    async def add(self, *things):
        for thing in things:
            kind = "profile" if isinstance(thing, Profile) else "need"
            await self.handlers.add(MatchAdd(**{kind: thing}))

    async def invoiced(self, deal_id: str, minor: int = 10_001, **ask):
        """Open a deal between ana and need n1 and move it until it can be paid in full."""
        await self.add(provider("ana"), need("n1"))
        given = {"need_id": "n1", "provider_id": "ana", "amount": usd(minor)} | ask
        await self.deal("open", deal_id=deal_id, **given)
        for to in ("offered", "accepted", "active", "delivered", "invoiced"):
            await self.deal("move", deal_id=deal_id, to=to)


@asynccontextmanager
async def hosting(bus, settings, name: str = "match"):
    """A match room as `app.py` wires it, on a file of its own."""
    book = await open_book(bus, settings.data_dir / name / "match.db")
    try:
        async with anyio.create_task_group() as tasks:
            writer = Writer(bus, book)
            await writer.catch_up()
            tasks.start_soon(writer.run)
            reporter = Reporter(bus, book, settings.match)
            yield Host(book, writer, Handlers(Room(book, writer, settings.match, reporter, bus)))
            tasks.cancel_scope.cancel()
    finally:
        await book.close()


@pytest.fixture
def host(bus, settings):
    """Open a host inside the test: `async with host() as here`."""
    return lambda name="match": hosting(bus, settings, name)
