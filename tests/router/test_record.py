import asyncio
import sqlite3
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from services.router import accounts
from services.router.errand import Errand
from services.router.record import Call, dollars, open_record, pico
from services.router.turns import BREATH
from shared.errors import InvalidSetting
from tests.router.conftest import ask


@asynccontextmanager
async def writing(path, busy_s=10.0):
    async with open_record(path, busy_s) as record:
        writer = asyncio.create_task(record.run())
        yield record
        await record.settle()
        writer.cancel()
        await asyncio.gather(writer, return_exceptions=True)


def row(**changes) -> Call:
    return replace(accounts.row(Errand(ask(model="m"), None).failed(), None), **changes)


async def test_every_call_is_written_and_outlives_the_process(tmp_path):
    path = tmp_path / "new" / "calls.db"
    async with writing(path) as record:
        for n in range(1200):
            record.add(row(request_id=f"r{n}"))
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM calls").fetchone() == (1200,)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


async def test_unknown_costs_stay_null_and_known_ones_exact(tmp_path):
    async with writing(tmp_path / "calls.db") as record:
        record.add(row(cost_pico=None))
        record.add(row(cost_pico=pico(Decimal("0.000000000001"))))
        found = await record.rows("SELECT cost_pico FROM calls ORDER BY id")
    assert [one["cost_pico"] for one in found] == [None, 1]


async def test_a_locked_file_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("services.router.record.RETRY_S", 0.01)
    async with writing(tmp_path / "calls.db", busy_s=0.001) as record:
        locker = sqlite3.connect(tmp_path / "calls.db", isolation_level=None)
        locker.execute("BEGIN IMMEDIATE")
        record.add(row())
        await asyncio.sleep(0.05)
        locker.execute("COMMIT")
        locker.close()
        assert len(await record.rows("SELECT 1 FROM calls")) == 1


@pytest.mark.parametrize("broken", ["file", "garbage"])
async def test_a_folder_that_cannot_hold_it_names_the_setting(tmp_path, broken):
    place = tmp_path / "data"
    if broken == "file":
        place.write_text("a file where a folder should be")
    else:
        place.mkdir()
        (place / "calls.db").write_text("this is no database" * 100)
    with pytest.raises(InvalidSetting, match="SOVEREIGN_DATA_DIR"):
        async with open_record(place / "calls.db"):
            pass


def test_money_is_whole_picodollars():
    assert pico(Decimal("2.5")) == 2_500_000_000_000
    assert dollars(pico(Decimal("0.15e-6"))) == Decimal("0.15e-6")
    assert pico(None) is None
    assert dollars(None) is None


async def test_entries_do_not_pile_up_while_more_come_at_every_turn(tmp_path):
    begun, made = asyncio.Event(), []
    async with open_record(tmp_path / "calls.db") as record:
        for _ in range(4 * BREATH):
            record.later(begun.set)
        await begun.wait()
        for _ in range(300):
            for _ in range(2 * BREATH):
                record.later(lambda: made.append(None))
            await asyncio.sleep(0)
        assert len(made) > 300 * 2 * BREATH - 20 * BREATH
