"""Wiring: the index at the end of its stream, then the doors, then the loops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio

from services.sessions.exporting import Exporter
from services.sessions.follower import Follower
from services.sessions.handlers import Handlers
from services.sessions.healing import Ask, Handler, Reply, healing
from services.sessions.index import Index
from services.sessions.journal import Journal
from services.sessions.leases import Leases
from services.sessions.life import Life
from services.sessions.meaning import Meaning
from services.sessions.recall import by_words_alone
from services.sessions.sweep import Sweep
from services.sessions.upkeep import Forgotten, Upkeep
from services.sessions.vectors import VectorFile
from shared.events import (
    Empty,
    LeaseAsk,
    SearchAsk,
    SessionAppend,
    SessionAsk,
    SessionBranch,
    SessionClose,
    SessionContextAsk,
    SessionExport,
    SessionForget,
    SessionImport,
    SessionListAsk,
    SessionResume,
)
from shared.service import Service
from shared.streams import Consumer
from shared.work import Worker

RESULTS = Consumer("RESULTS", "sessions", ("agent.result.crew.*",))
AT_ONCE = 64
"""Requests of one kind in hand at the same time."""


@asynccontextmanager
async def lifespan(service: Service) -> AsyncIterator[None]:
    """Serve sessions until the service stops."""
    index = Index(service.settings.data_dir / "sessions" / "index.db")
    follower = Follower(service.bus, index)
    journal = Journal(service.bus, index, follower, service.host)
    settings = service.settings.sessions
    leases = Leases(service.bus)
    file = VectorFile(service.settings.data_dir / "sessions" / "vectors.db")
    meaning = Meaning(service.bus, index, file)
    near = meaning.near if settings.vectors == "auto" else by_words_alone
    handlers = Handlers(index, journal, settings.namespace, leases, near)
    life = Life(index, journal, leases, handlers.heads, handlers.handing)
    sweep = Sweep(index, leases, handlers.handing, settings)
    service.heart.info = lambda: {"last_seq": index.last_seq}
    try:
        await follower.open()
        async with anyio.create_task_group() as loops:
            loops.start_soon(follower.run)
            await leases.look()
            doors = Doors(service, follower)
            await _answer(doors, handlers)
            await _live(doors, life)
            export = Exporter(index, handlers.heads).export
            await doors.open("session.export", SessionExport, export, 4)
            gone = _forgetting(leases, meaning)
            await _maintain(service, Upkeep(service.bus, index, follower, journal, gone))
            if settings.vectors == "auto":
                loops.start_soon(meaning.run)
            loops.start_soon(sweep.run)
            loops.start_soon(Worker(service.bus, RESULTS, handlers.finished).run)
            yield
            loops.cancel_scope.cancel()
    finally:
        file.close()
        await index.close()


def _forgetting(leases: Leases, meaning: Meaning) -> Forgotten:
    """Return what takes names of holders and vectors away."""

    async def forgotten(sessions: Sequence[str]) -> None:
        for session in sessions:
            await leases.forget(session)
        await meaning.drop()

    return forgotten


class Doors:
    """Endpoints whose answers survive a damaged index."""

    def __init__(self, service: Service, follower: Follower) -> None:
        self._service = service
        self._follower = follower

    async def open(
        self, subject: str, ask: type[Ask], handler: Handler[Ask, Reply], limit: int = AT_ONCE
    ) -> None:
        """Answer up to `limit` requests at the same time."""
        safe = healing(self._follower, handler)
        await self._service.endpoints.answer_many(subject, ask, safe, limit)


async def _answer(doors: Doors, handlers: Handlers) -> None:
    await doors.open("session.append", SessionAppend, handlers.append)
    await doors.open("session.load", SessionAsk, handlers.load)
    await doors.open("session.list", SessionListAsk, handlers.list)
    await doors.open("session.search", SearchAsk, handlers.search)
    await doors.open("session.handoff", SessionAsk, handlers.handoff)
    await doors.open("session.import", SessionImport, handlers.take, 2)
    await doors.open("session.context", SessionContextAsk, handlers.context)


async def _live(doors: Doors, life: Life) -> None:
    await doors.open("session.fork", SessionBranch, life.fork)
    await doors.open("session.merge", SessionBranch, life.merge)
    await doors.open("session.lease", LeaseAsk, life.lease)
    await doors.open("session.close", SessionClose, life.close)
    await doors.open("session.resume", SessionResume, life.resume)


async def _maintain(service: Service, upkeep: Upkeep) -> None:
    """Answer what changes the index as a whole, one request after the other."""
    await service.endpoints.answer("session.reindex", Empty, upkeep.reindex)
    await service.endpoints.answer("session.forget", SessionForget, upkeep.forget)
