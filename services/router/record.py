"""The record of every model call, in SQLite: written in batches by one task, off the hot path."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import MISSING, Field, dataclass, fields
from decimal import Decimal
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import aiosqlite

from services.router import history
from services.router.turns import few
from shared.errors import InvalidSetting
from shared.ids import ulid

log = logging.getLogger(__name__)

PICO = Decimal(10) ** 12
"""Costs are kept as whole picodollars (1e-12 US dollars), so that sums are exact."""
MAX_WAITING = 100_000
BATCH = 500
RETRY_S = 1.0
GATHER_S = 0.05
"""Calls of so long are written together, after their replies have gone out."""
LATER_S = 0.02
"""Entries are made so long after their replies, a few at a time."""


@dataclass(frozen=True, slots=True)
class Call:
    """One row. `at` is ISO 8601 in UTC; `cost_pico` is null when the price is unknown;
    `own_host` is 1 when no token left the owner's hosts; `source` is the door that the request
    came through, `caller` the name of its key; `asked` is the model as it was asked for, `rule`
    what chose the model; `structured` is 1 for a schema or tools; `kind` is `chat` or `embed`, and
    `texts` are an embedding's inputs; `run` is the number of the router's run, which the record
    fills in."""

    at: str
    request_id: str
    task_id: str | None
    step_id: str | None
    agent: str | None
    tenant: str
    engine: str
    model: str
    host: str
    is_llm: int
    own_host: int
    cache: str
    prompt_tokens: int
    completion_tokens: int
    total_s: float
    queue_s: float
    first_token_s: float | None
    load_s: float | None
    prompt_s: float | None
    eval_s: float | None
    cost_pico: int | None
    error: str | None
    source: str = "bus"
    caller: str | None = None
    asked: str = ""
    rule: str = ""
    structured: int = 0
    kind: str = "chat"
    texts: int = 0
    run: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """How a step of a task came out that a model did; `verified` is 0 when it was found wanting."""

    at: str
    task_id: str
    step_id: str
    attempt: int
    agent: str
    model: str
    verified: int


STEP_COLUMNS = tuple(field.name for field in fields(Step))
COLUMNS = tuple(field.name for field in fields(Call) if field.name != "run")
VALUES = {Call: attrgetter(*COLUMNS), Step: attrgetter(*STEP_COLUMNS)}
TABLE = "SELECT name FROM pragma_table_info('calls')"
TYPES = {"str": "TEXT", "int": "INTEGER", "float": "REAL"}
INSERT_STEP = f"INSERT OR IGNORE INTO steps VALUES ({', '.join('?' * len(STEP_COLUMNS))})"  # noqa: S608
"""Every router hears of a step; those that share the file keep it once."""
RUNS = "CREATE TABLE IF NOT EXISTS runs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)"
"""The runs of routers that wrote here: their names are unique everywhere, 0 is all of before."""
NAME_RUN = "INSERT OR IGNORE INTO runs (id, name) VALUES (?, ?)"


class Run(NamedTuple):
    """A router from its start to its end: its number in this file, and its name everywhere."""

    number: int
    name: str


class Record:
    """Takes calls without waiting; `run` writes them. `of` is the run whose calls it takes."""

    def __init__(self, database: aiosqlite.Connection, path: Path, of: Run) -> None:
        self._database = database
        self._insert = {Call: _insert(of.number), Step: INSERT_STEP}
        self._waiting: asyncio.Queue[Call | Step] = asyncio.Queue(MAX_WAITING)
        self._later: deque[Callable[[], None]] = deque()
        self.path = path
        self.of = of
        self.lost = 0

    def add(self, call: Call | Step) -> None:
        """Take a call or a step.

        When the disk has failed for so long that no room is left, it is counted as lost.
        """
        try:
            self._waiting.put_nowait(call)
        except asyncio.QueueFull:
            self.lost += 1

    def later(self, entry: Callable[[], None]) -> None:
        """Call `entry`, which adds, once the replies of now are out, or when somebody reads."""
        self._later.append(entry)
        if len(self._later) == 1:
            asyncio.get_running_loop().call_later(LATER_S, self._make)

    def _make(self) -> None:
        try:
            for _ in range(few(len(self._later))):
                self._later.popleft()()
        finally:
            if self._later:
                asyncio.get_running_loop().call_soon(self._make)

    async def run(self) -> None:
        """Write for ever; while the disk fails, keep what waits and try again."""
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(GATHER_S)
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._write(batch)
            for _ in batch:
                self._waiting.task_done()

    async def settle(self) -> None:
        """Return when all calls of before are written."""
        while self._later:
            self._later.popleft()()
        await self._waiting.join()

    async def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Return the rows of a question, with all calls of before in them."""
        await self.settle()
        return list(await self._database.execute_fetchall(query, values))

    async def _write(self, batch: list[Call | Step]) -> None:
        while True:
            try:
                for kind, insert in self._insert.items():
                    rows = [VALUES[kind](one) for one in batch if type(one) is kind]
                    await self._database.executemany(insert, rows)
                await self._database.commit()
            except sqlite3.Error as error:
                log.error("the record cannot be written, trying again: %s", error)
                await self._database.rollback()
                await asyncio.sleep(RETRY_S)
            else:
                return


@asynccontextmanager
async def open_record(path: Path, busy_s: float = 10.0) -> AsyncIterator[Record]:
    """Yield the record kept in the file `path`; several routers may share one.

    A write waits `busy_s` seconds for another process's write before it counts as failed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        database = await aiosqlite.connect(path, timeout=busy_s)
    except (OSError, sqlite3.Error) as error:
        raise _unwritable(path, error) from error
    try:
        yield Record(database, path, await _declare(database, path))
    finally:
        await database.close()


async def _declare(database: aiosqlite.Connection, path: Path) -> Run:
    """Bring the file to what is declared here, and enter a new run."""
    database.row_factory = sqlite3.Row
    try:
        await database.executescript(_declaration())
        await database.execute("BEGIN IMMEDIATE")  # routers that share the file start at once
        there = {row["name"] for row in await database.execute_fetchall(TABLE)}
        for column in (one for one in fields(Call) if one.name not in there):
            await database.execute(f"ALTER TABLE calls ADD COLUMN {_column(column)}")
        summed = [row["name"] for row in await database.execute_fetchall(history.TABLE)]
        complete = bool(await database.execute_fetchall(history.TRIGGER))
        for statement in history.declaration(summed, complete):
            await database.execute(statement)
        run = await _begin(database)
        await database.commit()
    except sqlite3.Error as error:
        raise _unwritable(path, error) from error
    return run


async def _begin(database: aiosqlite.Connection) -> Run:
    await database.execute(RUNS)
    await database.execute(NAME_RUN, (0, ulid()))
    name = ulid()
    entered = await database.execute(NAME_RUN, (None, name))
    return Run(int(entered.lastrowid or 0), name)


def _insert(run: int) -> str:
    places = ", ".join("?" * len(COLUMNS))
    return f"INSERT INTO calls ({', '.join(COLUMNS)}, run) VALUES ({places}, {run})"  # noqa: S608 - our own column names


def _unwritable(path: Path, error: Exception) -> InvalidSetting:
    line = f"SOVEREIGN_DATA_DIR: the record {path} cannot be kept: {error}"
    return InvalidSetting(line, field="SOVEREIGN_DATA_DIR")


def pico(cost: Decimal | None) -> int | None:
    """Return a cost as whole picodollars; unknown stays unknown."""
    return None if cost is None else int((cost * PICO).to_integral_value())


def dollars(amount: int | None) -> Decimal | None:
    """Return picodollars as US dollars."""
    return None if amount is None else Decimal(amount) / PICO


def _declaration() -> str:
    """Return the table as the fields of `Call` say."""
    return f"""
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        CREATE TABLE IF NOT EXISTS calls
            (id INTEGER PRIMARY KEY, {", ".join(map(_column, fields(Call)))});
        CREATE INDEX IF NOT EXISTS calls_at ON calls (at);
        CREATE TABLE IF NOT EXISTS steps
            ({", ".join(map(_column, fields(Step)))}, UNIQUE (task_id, step_id, attempt));
        CREATE INDEX IF NOT EXISTS calls_task ON calls (task_id) WHERE task_id IS NOT NULL;
    """


def _column(field: Field[Any]) -> str:
    """Return a column as the field says; one with a default may be added to a table of before."""
    kind, _, optional = str(field.type).partition(" | ")
    default = "" if field.default in (MISSING, None) else f" DEFAULT {field.default!r}"
    return f"{field.name} {TYPES[kind]}" + ("" if optional else f" NOT NULL{default}")
