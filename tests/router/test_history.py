import sqlite3
from datetime import timedelta
from decimal import Decimal

from services.router import history
from services.router.record import COLUMNS, open_record, pico
from services.router.savings import TOTALS
from shared.clock import now
from tests.router.test_record import row, writing


def ago(days: float) -> str:
    return (now() - timedelta(days=days)).isoformat()


async def totals(record) -> dict[str, float]:
    return dict((await record.rows(TOTALS))[0])


async def test_old_calls_become_sums_of_days_and_no_total_changes(tmp_path):
    path = tmp_path / "calls.db"
    async with writing(path) as record:
        for n in range(300):
            cost = None if n % 7 == 0 else pico(Decimal("0.1"))
            record.add(row(at=ago(n / 3), is_llm=1, prompt_tokens=n, cost_pico=cost, agent="a"))
        before = await totals(record)
        assert history.fold(path, 30, 1_000_000) > 200
        assert await totals(record) == before | {"since": before["since"][:10] + "T00:00:00+00:00"}
        assert len(await record.rows("SELECT 1 FROM calls")) <= 91
        assert len(await record.rows("SELECT 1 FROM days")) <= 2 * 71
        assert history.fold(path, 30, 1_000_000) == 0


async def test_too_many_calls_are_summed_up_before_their_time(tmp_path):
    path = tmp_path / "calls.db"
    async with writing(path) as record:
        for n in range(1100):
            record.add(row(at=ago(n / 1e5)))
        await record.settle()
        assert history.fold(path, 30, 1000) == 200
        assert (await totals(record))["calls"] == 1100
        assert len(await record.rows("SELECT 1 FROM calls")) == 900


async def test_a_record_of_before_gets_the_new_columns(tmp_path):
    path = tmp_path / "calls.db"
    with sqlite3.connect(path) as database:
        old = [name for name in COLUMNS if name not in ("source", "caller", "asked", "rule",
                                                        "structured")]  # fmt: skip
        database.execute(f"CREATE TABLE calls (id INTEGER PRIMARY KEY, {', '.join(old)})")
        database.execute("INSERT INTO calls (at, is_llm, cache) VALUES ('2026-01-01', 1, 'off')")
    database.close()
    async with open_record(path) as record:
        found = (await record.rows("SELECT source, caller, rule, structured FROM calls"))[0]
    assert tuple(found) == ("bus", None, "", 0)
