"""Wiring: the index at the end of its stream, then the doors, then the loops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from services.sessions.exporting import Exporter
from services.sessions.follower import Follower
from services.sessions.handlers import Handlers
from services.sessions.index import Index
from services.sessions.journal import Journal
from services.sessions.leases import Leases
from services.sessions.life import Life
from services.sessions.meaning import Meaning
from services.sessions.recall import by_words_alone
from services.sessions.sweep import Sweep
from services.sessions.upkeep import Upkeep
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
            await _answer(service, handlers)
            await _live(service, life)
            export = Exporter(index, handlers.heads).export
            await service.endpoints.answer_many("session.export", SessionExport, export, 4)
            await _maintain(service, Upkeep(service.bus, index, follower, journal))
            if settings.vectors == "auto":
                loops.start_soon(meaning.run)
            loops.start_soon(sweep.run)
            loops.start_soon(Worker(service.bus, RESULTS, handlers.finished).run)
            yield
            loops.cancel_scope.cancel()
    finally:
        file.close()
        await index.close()


async def _answer(service: Service, handlers: Handlers) -> None:
    answer = service.endpoints.answer_many
    await answer("session.append", SessionAppend, handlers.append, AT_ONCE)
    await answer("session.load", SessionAsk, handlers.load, AT_ONCE)
    await answer("session.list", SessionListAsk, handlers.list, AT_ONCE)
    await answer("session.search", SearchAsk, handlers.search, AT_ONCE)
    await answer("session.handoff", SessionAsk, handlers.handoff, AT_ONCE)
    await answer("session.import", SessionImport, handlers.take, 2)
    await answer("session.context", SessionContextAsk, handlers.context, AT_ONCE)


async def _live(service: Service, life: Life) -> None:
    answer = service.endpoints.answer_many
    await answer("session.fork", SessionBranch, life.fork, AT_ONCE)
    await answer("session.merge", SessionBranch, life.merge, AT_ONCE)
    await answer("session.lease", LeaseAsk, life.lease, AT_ONCE)
    await answer("session.close", SessionClose, life.close, AT_ONCE)
    await answer("session.resume", SessionResume, life.resume, AT_ONCE)


async def _maintain(service: Service, upkeep: Upkeep) -> None:
    """Answer what changes the index as a whole, one request after the other."""
    await service.endpoints.answer("session.reindex", Empty, upkeep.reindex)
    await service.endpoints.answer("session.forget", SessionForget, upkeep.forget)
