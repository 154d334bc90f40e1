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


async def test_old_calls_go_and_no_total_changes(tmp_path):
    path = tmp_path / "calls.db"
    async with writing(path) as record:
        for n in range(300):
            cost = None if n % 7 == 0 else pico(Decimal("0.1"))
            record.add(row(at=ago(n / 3), is_llm=1, prompt_tokens=n, cost_pico=cost, agent="a"))
        before = await totals(record)
        assert history.let_go(path, 30, 1_000_000) > 200
        assert await totals(record) == before
        assert len(await record.rows("SELECT 1 FROM calls")) <= 91
        assert len(await record.rows("SELECT 1 FROM days")) <= 2 * 101
        assert history.let_go(path, 30, 1_000_000) == 0


async def test_too_many_calls_go_before_their_time(tmp_path):
    path = tmp_path / "calls.db"
    async with writing(path) as record:
        for n in range(1100):
            record.add(row(at=ago(n / 1e5)))
        await record.settle()
        assert history.let_go(path, 30, 1000) == 200
        assert (await totals(record))["calls"] == 1100
        assert len(await record.rows("SELECT 1 FROM calls")) == 900


async def test_a_record_of_before_gets_the_new_columns(tmp_path):
    path = tmp_path / "calls.db"
    with sqlite3.connect(path) as database:
        old = [name for name in COLUMNS if name not in ("source", "caller", "asked", "rule",
                                                        "structured")]  # fmt: skip
        database.execute(f"CREATE TABLE calls (id INTEGER PRIMARY KEY, {', '.join(old)})")
        columns, values = "at, is_llm, cache, kind", "'2026-01-01', 1, 'off', 'chat'"
        database.execute(f"INSERT INTO calls ({columns}) VALUES ({values})")
    database.close()
    async with open_record(path) as record:
        found = (await record.rows("SELECT source, caller, rule, structured FROM calls"))[0]
        assert tuple(found) == ("bus", None, "", 0)
        assert (await totals(record))["llm_calls"] == 1


async def test_sums_and_calls_never_differ(tmp_path):
    names = (
        "model, error, cache, COUNT(*), SUM(prompt_tokens), SUM(total_s), SUM(cost_pico IS NULL)"
    )
    sums = "model, error, cache, SUM(calls), SUM(prompt_tokens), SUM(total_s), SUM(unpriced)"
    found = []
    async with writing(tmp_path / "calls.db") as record:
        for n in range(200):
            error = "busy" if n % 5 == 0 else None
            price = None if n % 3 else 7
            record.add(row(at=ago(n / 50), model=f"m{n % 2}", error=error, cost_pico=price,
                           prompt_tokens=n, total_s=n / 4))  # fmt: skip
        for columns, table in ((names, "calls"), (sums, "history")):
            query = f"SELECT {columns} FROM {table} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            found.append([tuple(one) for one in await record.rows(query)])
    assert found[0] == found[1]
    assert len(found[0]) == 4


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
        assert history.let_go(path, 30, 1_000_000) == 2
        summed = ", ".join(f"SUM({n})" for n in ("calls", "unpriced", "prompt_tokens", "texts"))
        query = f"SELECT kind, {summed} FROM days GROUP BY kind ORDER BY kind"
        found = [tuple(one) for one in await record.rows(query)]
    assert found == [("chat", 8, 1, 70, 3), ("embed", 1, 0, 0, 3)]


async def test_a_table_of_sums_that_is_as_it_should_be_is_left_alone(tmp_path):
    for _ in range(2):
        async with writing(tmp_path / "calls.db") as record:
            record.add(row(at=ago(99), kind="embed"))
            await record.settle()
            history.let_go(tmp_path / "calls.db", 30, 1_000_000)
            found = await record.rows("SELECT calls, run FROM days")
    assert [tuple(one) for one in found] == [(1, 1), (1, 2)]
