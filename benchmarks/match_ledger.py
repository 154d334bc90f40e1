"""Deals a second with every commit on disk, and a report over 100,000 postings."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import anyio

from services.match import fold, revenue, store
from services.match.deal_acts import OpenDeal, Terms
from services.match.ledger import payment_postings
from services.match.opening import open_book
from services.match.profile_acts import SetNeed, SetProfile
from services.match.writer import Writer
from shared import bootstrap
from shared.bus import encode, open_bus
from shared.clock import now
from shared.events import DealAsk, LedgerEntry, Money, Need, Profile, RevenueAsk
from shared.reading import Stored
from shared.settings import NatsSettings, Settings
from tests.conftest import NatsServer


async def deals(count: int = 2000) -> dict[str, float]:
    """Open `count` deals, 256 at a time, through the stream and SQLite."""
    folder = Path(tempfile.mkdtemp())
    server = NatsServer(folder)
    server.start(sync="always")
    settings = Settings(data_dir=folder, nats=NatsSettings(url=server.url))
    try:
        async with open_bus(settings, "bench") as bus:
            await bootstrap.ensure(bus)
            book = await open_book(bus, folder / "match.db")
            async with anyio.create_task_group() as tasks:
                writer = Writer(bus, book)
                tasks.start_soon(writer.run)
                seconds = await _open(writer, count)
                tasks.cancel_scope.cancel()
            await book.close()
    finally:
        server.kill()
    return {"deals": count, "seconds": seconds, "deals_a_second": count / seconds}


async def _open(writer: Writer, count: int) -> float:
    money = Money(minor=10_001, currency="USD")
    await writer.do(SetProfile(Profile(party_id="ana", name="Ana")))
    await writer.do(SetNeed(Need(need_id="n", party_id="acme", title="x", budget=money)))
    start = time.perf_counter()
    for first in range(0, count, 256):
        names = [f"d{n}" for n in range(first, min(first + 256, count))]
        asks = (DealAsk(action="open", deal_id=d, need_id="n", provider_id="ana") for d in names)
        await asyncio.gather(*(writer.do(OpenDeal(ask, Terms(Decimal("0.2")))) for ask in asks))
    return time.perf_counter() - start


def report(postings: int = 100_000) -> dict[str, float]:
    """Milliseconds of the whole report over so many postings."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    store.prepare(db)
    start = time.process_time()
    db.execute("BEGIN")
    for seq in range(1, postings // 3 + 1):
        entry = LedgerEntry(
            entry_id=f"p{seq}", key=f"p{seq}", kind="payment", deal_id=f"d{seq % 999}",
            party_id=f"v{seq % 99}", currency="USD", rate=Decimal("0.2"),
            postings=payment_postings(f"v{seq % 99}", 10_000 + seq, Decimal("0.2")),
        )  # fmt: skip
        fold.apply(db, "LEDGER", Stored(seq, "ledger.entry.x", encode(entry)))
    db.execute("COMMIT")
    folded = time.process_time() - start
    start = time.process_time()
    revenue.report(db, RevenueAsk(by="month"), (2_000_000, "USD"), now())
    took = 1000 * (time.process_time() - start)
    return {
        "postings": postings,
        "report_ms": took,
        "entries_folded_a_second": postings / 3 / folded,
    }


def run() -> None:
    """Print one JSON document a measurement."""
    print(json.dumps(asyncio.run(deals()), indent=1))
    print(json.dumps(report(), indent=1))


if __name__ == "__main__":
    run()
