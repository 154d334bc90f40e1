"""Kill match when an entry is stored and its read model cannot know yet: it is paid once."""

import asyncio
import os
import shutil
import sys
from contextlib import asynccontextmanager

import pytest

from shared.errors import TimedOut, Unavailable
from shared.events import (
    DealAsk,
    DealReply,
    LedgerExport,
    LedgerExportAsk,
    MatchAdd,
    MatchList,
    Money,
    Need,
    Profile,
    Revenue,
    RevenueAsk,
)

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

KILLS = 8
PART = 1_001


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


@asynccontextmanager
async def match(settings):
    """Run the real service; yield its process."""
    environment = {
        **os.environ,
        "SOVEREIGN_NATS__URL": settings.nats_url,
        "SOVEREIGN_DATA_DIR": str(settings.data_dir),
        "SOVEREIGN_HOST": "here",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.match", env=environment
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ask(bus, subject, body, reply, until=60.0):
    """Ask with the same key until somebody answers, as a careful caller does."""
    async with asyncio.timeout(until):
        while True:
            try:
                return await bus.request(subject, body, reply, 5.0)
            except (Unavailable, TimedOut):
                await asyncio.sleep(0.05)


async def deal(bus, action, **fields):
    return await ask(bus, "match.deal", DealAsk(action=action, **fields), DealReply)


async def killed_at_the_entry(bus, settings, key):
    """Pay, and kill the process as soon as the entry goes into the stream."""
    stored = asyncio.Event()

    async def seen(message):
        stored.set()

    listener = await bus.nc.subscribe("ledger.entry.*", cb=seen)
    await bus.nc.flush()
    async with match(settings) as process:
        await ask(bus, "match.list", RevenueAsk(), MatchList)
        payment = DealAsk(action="pay", deal_id="d1", amount=usd(PART), key=key)
        paying = asyncio.create_task(ask(bus, "match.deal", payment, DealReply))
        await stored.wait()
        process.kill()
        await process.wait()
        async with match(settings):
            reply = await paying
    await listener.unsubscribe()
    return reply


async def books(bus):
    """Return the whole ledger as a text and the report without its instant."""
    text = await ask(bus, "match.export", LedgerExportAsk(), LedgerExport)
    report = await ask(bus, "match.revenue", RevenueAsk(), Revenue)
    return text, report.model_dump(exclude={"at", "margin"})


async def test_a_kill_between_entry_and_read_model_pays_once(bus, settings):
    async with match(settings):
        for body in (
            MatchAdd(profile=Profile(party_id="ana", name="Ana")),
            MatchAdd(need=Need(need_id="n1", party_id="acme", title="x")),
        ):
            await ask(bus, "match.add", body, MatchList)
        whole = usd(PART * KILLS)
        await deal(
            bus, "open", key="d1", deal_id="d1", need_id="n1", provider_id="ana", amount=whole
        )
        for to in ("offered", "accepted"):
            await deal(bus, "move", deal_id="d1", to=to, key=f"to-{to}")
    for number in range(KILLS):
        reply = await killed_at_the_entry(bus, settings, f"part-{number}")
        assert reply.deal.paid == usd(PART * (number + 1))
    async with match(settings):
        before = await books(bus)
    shutil.rmtree(settings.data_dir / "match")
    async with match(settings):
        after = await books(bus)
        shown = await deal(bus, "show", deal_id="d1")
    assert before == after
    assert before[0].entries == KILLS
    assert [sum(accounts.values()) for accounts in before[1]["trial_balance"].values()] == [0]
    assert shown.deal.paid == usd(PART * KILLS)
