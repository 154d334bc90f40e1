"""The read model on disk: facts in, in the order of the stream, each exactly once.

It holds nothing of its own: a file that is damaged, of another version, or of another stream is
set aside and built anew from stream SESSIONS.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import aiosqlite
import anyio.to_thread

from services.sessions import schema, words
from services.sessions.erasing import erase
from services.sessions.facts import closes, searchable
from services.sessions.stored import Fact
from shared.clock import stamp
from shared.errors import Busy

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

INSERT_EVENT = """
INSERT OR IGNORE INTO event(seq, session, position, event_id, kind, actor, at, closes, body)
SELECT ?, id, positions + 1, ?, ?, ?, ?, ?, ? FROM session WHERE session_id = ? AND namespace = ?
"""
INSERT_SESSION = """
INSERT OR IGNORE INTO session(session_id, namespace, first_at, last_at) VALUES (?, ?, ?, ?)
"""
ADVANCE = "UPDATE about SET value = ? WHERE name = 'last_seq' AND CAST(value AS INTEGER) < ?"
KEEP_HEAD = """
INSERT OR REPLACE INTO snapshot SELECT id, ? FROM session WHERE id = ?
AND ? = coalesce((SELECT value FROM about WHERE name = 'erased'), '')
"""
INSERT_WORDS = "INSERT INTO words(rowid, text) SELECT seq, ? FROM event WHERE seq = ?"


class Index:
    """One file, one connection that writes and one that reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last_seq = 0
        self.building = False
        """Whether it is read anew from the stream: half of it would be a wrong answer."""
        self._namespaces: dict[str, int] = {}
        self._sessions: set[str] = set()
        self._writing = asyncio.Lock()
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._looker: sqlite3.Connection | None = None
        self._looking = asyncio.Lock()

    async def read(self, act: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Return what `act` reads, all in one visit to one thread; `Busy` while it is rebuilt."""
        async with self._looking:
            looker = self._looker
            if looker is None or self.building:
                raise _busy()
            return await anyio.to_thread.run_sync(act, looker)

    @property
    def writer(self) -> aiosqlite.Connection:
        """Return the connection that writes; raise `Busy` while the index is built anew."""
        return _open(self._writer)

    @property
    def reader(self) -> aiosqlite.Connection:
        """Return the connection that only reads; raise `Busy` while the index is built anew."""
        return _open(None if self.building else self._reader)

    async def open(self, stream: str = "") -> None:
        """Open, or begin anew when the file is not a good index of `stream` (its birth time)."""
        try:
            await self._connect(stream)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                await self.close()
                raise
            await self.set_aside(str(error))
            await self._connect(stream)

    async def close(self) -> None:
        """Close all connections."""
        async with self._looking:
            looker, self._looker = self._looker, None
            if looker is not None:
                looker.close()
        connections = (self._reader, self._writer)
        self._reader = self._writer = None
        for connection in connections:
            if connection is not None:
                await connection.close()

    async def set_aside(self, why: str) -> None:
        """Keep the damaged file under another name, out of the way."""
        log.warning("index %s is set aside: %s", self.path, why)
        await self.close()
        mark = f".broken-{time.time_ns()}"
        for suffix in ("", "-wal", "-shm"):
            part = self.path.with_name(self.path.name + suffix)
            if part.exists():
                part.rename(part.with_name(self.path.name + mark + suffix))

    async def empty(self) -> None:
        """Drop the file's content; the caller reads the stream from its start."""
        await self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    async def add(self, facts: Iterable[Fact], up_to: int) -> None:
        """Take in facts in one transaction; those that were seen before change nothing.

        `up_to` is the last sequence that was read, also when it held no fact.
        """
        if up_to <= self.last_seq:
            return
        async with self._writing:
            await self._add(list(facts), up_to)

    async def erased(self) -> str:
        """Return a mark that is another one after each erasure."""
        sql = "SELECT value FROM about WHERE name = 'erased'"
        return next((str(row[0]) for row in await self.reader.execute_fetchall(sql)), "")

    async def keep_head(self, session: int, head: bytes, erased: str) -> None:
        """Keep a fold, unless something was erased since the mark `erased` was read."""
        async with self._writing:
            await self.writer.execute(KEEP_HEAD, (head, session, erased))
            await self.writer.commit()

    async def _add(self, facts: list[Fact], up_to: int) -> None:
        await self.writer.execute("BEGIN IMMEDIATE")
        try:
            erased = await self._take_in(await self._unseen(facts))
            await self.writer.execute(ADVANCE, (str(up_to), up_to))
            await self.writer.commit()
        except BaseException:
            self._sessions.clear()
            await self.writer.rollback()
            raise
        if erased:
            await self._wipe()
        self.last_seq = up_to

    async def _take_in(self, facts: list[Fact]) -> bool:
        """Insert and erase in the order of the stream; tell whether anything was erased."""
        erased = False
        for run in _runs(facts):
            if run[0].event.kind == "session.forgotten":
                await erase(self.writer, run[0], self._namespaces)
                self._sessions.clear()
                erased = True
            await self._insert(run)
        return erased

    async def _wipe(self) -> None:
        """Leave nothing of what was erased in the log or in files set aside."""
        await self.writer.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
        for kept in self.path.parent.glob(f"{self.path.name}.broken-*"):
            kept.unlink(missing_ok=True)

    async def _unseen(self, facts: list[Fact]) -> list[Fact]:
        """Return what no other process that shares this file has taken in meanwhile."""
        last = int(await self._about("last_seq") or 0)
        if last != self.last_seq:
            await self._load_namespaces()
        return [fact for fact in facts if fact.seq > last]

    async def _about(self, name: str) -> str | None:
        rows = await self.writer.execute_fetchall("SELECT value FROM about WHERE name = ?", (name,))
        return next((str(row[0]) for row in rows), None)

    async def _insert(self, facts: list[Fact]) -> None:
        await self._number({fact.event.namespace for fact in facts})
        first: dict[str, Fact] = {}
        for fact in facts:
            if fact.event.session_id not in self._sessions:
                first.setdefault(fact.event.session_id, fact)
        if first:
            await self.writer.executemany(INSERT_SESSION, [_session_row(f) for f in first.values()])
        await self.writer.executemany(INSERT_EVENT, [_event_row(f) for f in facts])
        await self.writer.executemany(INSERT_WORDS, [self._words_row(f) for f in facts])
        self._sessions.update(first)

    async def _number(self, names: set[str]) -> None:
        """Give each new namespace the number that stands in its terms."""
        new = sorted(names - self._namespaces.keys())
        if new:
            rows = [(name,) for name in new]
            await self.writer.executemany("INSERT OR IGNORE INTO namespace(name) VALUES (?)", rows)
            await self._load_namespaces()

    def _words_row(self, fact: Fact) -> tuple[str, int]:
        number = self._namespaces[fact.event.namespace]
        return words.indexed(number, searchable(fact.event)), fact.seq

    async def _connect(self, stream: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        await self._open_writer()
        if not await self._good(stream):
            await self.empty()
            await self._open_writer()
            await self._create(stream)
        self._reader = await aiosqlite.connect(self.path)
        await self._reader.execute("PRAGMA query_only=ON")
        await self._reader.execute("PRAGMA busy_timeout=5000")
        self._looker = sqlite3.connect(self.path, timeout=5.0, check_same_thread=False)
        self._looker.execute("PRAGMA query_only=ON")
        await self._load_namespaces()

    async def _open_writer(self) -> None:
        self._writer = await aiosqlite.connect(self.path)
        for pragma in schema.PRAGMAS:
            await self._writer.execute(pragma)

    async def _good(self, stream: str) -> bool:
        """Tell whether the file is whole, of this version and of this stream."""
        rows = await self.writer.execute_fetchall("PRAGMA quick_check(1)")
        if [tuple(row) for row in rows] != [("ok",)]:
            raise sqlite3.DatabaseError("quick_check failed")
        names = await self.writer.execute_fetchall("SELECT name FROM sqlite_master LIMIT 1")
        if not list(names):
            return False
        self.last_seq = int(await self._about("last_seq") or 0)
        found = (await self._about("version"), await self._about("stream"))
        return found == (str(schema.VERSION), stream)

    async def _create(self, stream: str) -> None:
        self.last_seq = 0
        self._namespaces = {}
        self._sessions = set()
        await self.writer.executescript(schema.TABLES)
        about = {"version": str(schema.VERSION), "stream": stream, "last_seq": "0"}
        await self.writer.executemany("INSERT INTO about VALUES (?, ?)", list(about.items()))
        await self.writer.commit()

    async def _load_namespaces(self) -> None:
        rows = await self.writer.execute_fetchall("SELECT name, id FROM namespace")
        self._namespaces = {str(name): int(number) for name, number in rows}

    def number_of(self, namespace: str) -> int | None:
        """Return the number of a namespace, None when nothing was ever recorded in it."""
        if self.building:
            raise _busy()
        return self._namespaces.get(namespace)


def is_damage(error: sqlite3.DatabaseError) -> bool:
    """Tell whether the file itself is bad; a lock or a full disk passes."""
    if not isinstance(error, sqlite3.OperationalError):
        return True
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code == sqlite3.SQLITE_IOERR or str(error).startswith("no such table")


def _open(connection: aiosqlite.Connection | None) -> aiosqlite.Connection:
    if connection is None:
        raise _busy()
    return connection


def _busy() -> Busy:
    return Busy("the index is being built, come back soon", retry_after_s=1.0)


def _runs(facts: list[Fact]) -> Iterable[list[Fact]]:
    """Split at tombstones, each of which stands first in its run: order matters there."""
    run: list[Fact] = []
    for fact in facts:
        if fact.event.kind == "session.forgotten" and run:
            yield run
            run = []
        run.append(fact)
    if run:
        yield run


def _session_row(fact: Fact) -> tuple[str, str, str, str]:
    event = fact.event
    at = stamp(event.at)
    return event.session_id, event.namespace, at, at


def _event_row(fact: Fact) -> tuple[object, ...]:
    event = fact.event
    return (
        fact.seq, event.event_id, event.kind, event.actor, stamp(event.at), closes(event),
        fact.data, event.session_id, event.namespace,
    )  # fmt: skip
