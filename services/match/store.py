"""The SQLite file of match: one writer, one reader, WAL, every commit on disk.

Functions given to `write` and `read` are plain and get the connection of `sqlite3`: a whole batch
is one hop to the thread of aiosqlite instead of one a statement.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Self, TypeVar

import aiosqlite

Result = TypeVar("Result")

SCHEMA = Path(__file__).with_name("schema.sql")
VERSION = 8
"""Of the schema; a file of another version is made anew from the streams."""

BUSY_S = 15.0
TABLES = (
    "position", "refused", "profile", "need", "deal", "move", "outcome", "act", "entry", "posting",
    "unknown_payout", "subscription", "balance", "token",
    "earning", "party_earning", "report",
)  # fmt: skip


class Store:
    """Two connections to one file; make one with `Store.open`."""

    def __init__(self, path: Path, writer: aiosqlite.Connection) -> None:
        self.path = path
        self._writer = writer
        self._reader = writer

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the file, making it and its folder if need be."""
        path.parent.mkdir(parents=True, exist_ok=True)
        store = cls(path, await aiosqlite.connect(path, timeout=BUSY_S, isolation_level=None))
        await store.write(prepare)
        store._reader = await aiosqlite.connect(path, timeout=BUSY_S, isolation_level=None)
        await store.read(_read_only)
        return store

    async def write(self, act: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `act` on the writing connection; transactions are its own affair."""
        return await _on_thread(self._writer, act)

    async def read(self, look: Callable[[sqlite3.Connection], Result]) -> Result:
        """Run `look` on the reading connection: it sees what is committed."""
        return await _on_thread(self._reader, look)

    async def close(self) -> None:
        """Close both connections; an open transaction is rolled back."""
        await self._reader.close()
        await self._writer.close()


async def _on_thread(
    connection: aiosqlite.Connection, act: Callable[[sqlite3.Connection], Result]
) -> Result:
    """Run `act` on the thread that owns the connection."""
    result: Result = await connection._execute(act, connection._conn)  # type: ignore[no-untyped-call]
    return result


def prepare(db: sqlite3.Connection) -> None:
    """Set the connection up and create the tables of an empty file."""
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA recursive_triggers = ON")
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        script = SCHEMA.read_text()
        db.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {VERSION}; COMMIT;")


def _read_only(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA query_only = ON")


def version(path: Path) -> int | None:
    """Return the schema version of a file; None when there is none, 0 when it is no such file."""
    if not path.exists():
        return None
    db = sqlite3.connect(path)
    try:
        return int(db.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        return 0
    finally:
        db.close()


def checksum(db: sqlite3.Connection) -> str:
    """Return SHA-256 over all rows of all tables: equal for equal content."""
    digest = hashlib.sha256()
    for table in TABLES:
        for row in db.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):  # noqa: S608 - our names
            digest.update(repr((table, row)).encode())
    return digest.hexdigest()


def begin(db: sqlite3.Connection) -> None:
    """Start a writing transaction."""
    db.execute("BEGIN IMMEDIATE")


def commit(db: sqlite3.Connection) -> None:
    """End it; it is on disk when this returns."""
    db.execute("COMMIT")


def rollback(db: sqlite3.Connection) -> None:
    """Take back what was not committed, if anything."""
    if db.in_transaction:
        db.execute("ROLLBACK")
