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


SUMMED = """
    CREATE TABLE days (
        day TEXT NOT NULL, tenant NOT NULL, agent NOT NULL, caller NOT NULL, source NOT NULL,
        engine NOT NULL, model NOT NULL, host NOT NULL, is_llm NOT NULL, own_host NOT NULL,
        cache NOT NULL, error NOT NULL, structured NOT NULL,
        calls INTEGER NOT NULL, unpriced INTEGER NOT NULL,
        prompt_tokens NOT NULL, completion_tokens NOT NULL, total_s NOT NULL, queue_s NOT NULL,
        eval_s NOT NULL, cost_pico NOT NULL,
        PRIMARY KEY (day, tenant, agent, caller, source, engine, model, host, is_llm, own_host,
                     cache, error, structured)
    ) WITHOUT ROWID;
    INSERT INTO days VALUES ('2026-01-02', 'default', 'a', '', 'bus', 'ollama', 'm', 'h', 1, 1,
                             'off', '', 0, 7, 1, 70, 35, 7.5, 0.5, 3.5, 9);
    CREATE VIEW history AS SELECT day, calls FROM days;
"""


async def test_sums_of_before_kinds_are_sums_of_chats_and_days_go_on(tmp_path):
    path = tmp_path / "calls.db"
    with sqlite3.connect(path) as database:
        database.executescript(SUMMED)
    database.close()
    async with writing(path) as record:
        assert (await totals(record))["calls"] == 7
        for kind in ("chat", "embed"):
            same = {"agent": "a", "engine": "ollama", "host": "h", "is_llm": 1, "cost_pico": 1}
            record.add(row(at="2026-01-02T03:00:00+00:00", kind=kind, texts=3, **same))
        await record.settle()
        assert history.fold(path, 30, 1_000_000) == 2
        summed = ", ".join(f"SUM({n})" for n in ("calls", "unpriced", "prompt_tokens", "texts"))
        query = f"SELECT kind, {summed} FROM days GROUP BY kind ORDER BY kind"
        found = [tuple(one) for one in await record.rows(query)]
    assert found == [("chat", 8, 1, 70, 3), ("embed", 1, 0, 0, 3)]


async def test_a_table_of_sums_that_is_as_it_should_be_is_left_alone(tmp_path):
    for _ in range(2):
        async with writing(tmp_path / "calls.db") as record:
            record.add(row(at=ago(99), kind="embed"))
            await record.settle()
            history.fold(tmp_path / "calls.db", 30, 1_000_000)
            found = await record.rows("SELECT calls, run FROM days")
    assert [tuple(one) for one in found] == [(1, 1), (1, 2)]
