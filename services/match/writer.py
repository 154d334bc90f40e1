"""The one who writes: decide, publish with a fence, count in, answer; many acts at a time.

The streams are the truth. Each message is published with the expected last sequence of its whole
stream, so an act that was decided against an older state than the stream's is refused by the
server and decided again. Acts that wait are taken together: decided one after the other in one
open transaction, published as one chain, then committed at once. Each link also expects the id of
the one before it, since a stranger's message could stand at that sequence. A crash anywhere leaves
either a message that the next start counts in, or nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from nats.js.api import PubAck

from services.match import fold, store
from services.match.acts import Act, Draft
from services.match.store import Store
from shared.bus import Bus, encode
from shared.errors import Conflict, SovereignError
from shared.events import Body, DeadLetter, Reason
from shared.reading import BATCH, Stored, read_page
from shared.subjects import dead

log = logging.getLogger(__name__)

STREAMS = ("MATCH", "LEDGER")
EXPECTED_LAST = "Nats-Expected-Last-Sequence"
EXPECTED_ID = "Nats-Expected-Last-Msg-Id"
TOGETHER = 64
"""Most acts of one transaction."""
ATTEMPTS = 50
"""How often an act that others overtook is decided anew before its caller is told `conflict`."""
WITHIN_S = 10.0


@dataclass
class Job:
    """An act that waits for its answer; `draft` is what it publishes, expected at `seq`."""

    act: Act
    answer: asyncio.Future[Body]
    attempts: int = 0
    draft: Draft | None = None
    seq: int = 0
    reply: Body | None = None
    error: SovereignError | None = None
    stands: bool = False

    def resolve(self) -> None:
        """Give the answer, or the error."""
        if self.answer.done():
            return
        if self.error is not None:
            self.answer.set_exception(self.error)
        elif self.reply is not None:
            self.answer.set_result(self.reply)


class Writer:
    """Owns the writing side of the store; `run` must be running for `do` to return."""

    def __init__(self, bus: Bus, book: Store) -> None:
        self._bus = bus
        self._book = book
        self._waiting: asyncio.Queue[Job] = asyncio.Queue(maxsize=10_000)
        self._lock = asyncio.Lock()

    async def do(self, act: Act) -> Body:
        """Return the act's answer once its message is in the stream and in the read model."""
        job = Job(act, asyncio.get_running_loop().create_future())
        await self._waiting.put(job)
        return await job.answer

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            jobs = [await self._waiting.get()]
            while len(jobs) < TOGETHER and not self._waiting.empty():
                jobs.append(self._waiting.get_nowait())
            await self._settle([job for job in jobs if not job.answer.done()])

    async def catch_up(self) -> None:
        """Count in what the streams have and the read model has not."""
        async with self._lock:
            await self._follow_all()

    async def _settle(self, jobs: list[Job]) -> None:
        """Work on the jobs until each has its answer."""
        while jobs:
            try:
                async with self._lock:
                    await self._work(jobs)
            except SovereignError as error:
                _fail(jobs, error)
            except Exception as error:
                log.exception("a batch of %d failed", len(jobs))
                _fail(jobs, SovereignError(f"{type(error).__name__} while writing"))
            jobs = [job for job in jobs if not job.answer.done()]

    async def _work(self, jobs: list[Job]) -> None:
        """One transaction: stage, publish, commit; or roll back and see what got through."""
        await self._follow_all()
        try:
            await self._book.write(lambda db: _stage(db, jobs))
            published = await self._publish([job for job in jobs if job.draft is not None])
            if published:
                await self._book.write(store.commit)
        finally:
            await self._book.write(store.rollback)
        if not published:
            await self._follow_all()
            await self._book.write(lambda db: _pick_up(db, jobs))
        for job in jobs:
            job.resolve()

    async def _publish(self, jobs: list[Job]) -> bool:
        """Publish the drafts in order, those of one stream in a row at once; stop at a break.

        What follows may have been decided upon what broke, so it is not sent any more.
        """
        before: dict[str, str] = {}
        for _, run in groupby(jobs, lambda job: job.draft and job.draft.stream):
            sends = []
            for job in run:
                assert job.draft is not None  # noqa: S101 - the caller has looked
                sends.append(self._send(job, job.draft, before.get(job.draft.stream)))
                before[job.draft.stream] = job.draft.msg_id
            if not all(await asyncio.gather(*sends)):
                return False
        return True

    async def _send(self, job: Job, draft: Draft, before: str | None) -> bool:
        """Publish one draft after `before`, its place in the chain; tell whether it stands."""
        fence = {EXPECTED_LAST: str(job.seq - 1)}
        if before is not None:
            fence[EXPECTED_ID] = before
        try:
            ack: PubAck = await self._bus.publish(
                draft.subject, draft.body, draft.msg_id, within_s=WITHIN_S, headers=fence
            )
        except SovereignError as error:
            job.error = error
            return False
        if ack.duplicate or ack.seq != job.seq:
            job.error = Conflict(f"{draft.subject}: this act is at {ack.seq} already")
        job.stands = job.error is None
        return job.stands

    async def _follow_all(self) -> None:
        for stream in STREAMS:
            await self._follow(stream)

    async def _follow(self, stream: str) -> None:
        """Read the stream from where the read model stands, page by page."""
        while True:
            after = await self._book.write(lambda db: fold.position(db, stream))
            page = await read_page(self._bus, stream, SUBJECTS[stream], after)
            if page:
                refused = await self._book.write(partial(_count_in, stream, page))
                await self._bury(stream, refused)
            if len(page) < BATCH:
                return

    async def _bury(self, stream: str, refused: list[tuple[Stored, str]]) -> None:
        """Put messages that do not belong into the stream into DEAD; the read model has why."""
        for message, reason in refused:
            log.warning("%s %d refused: %s", stream, message.seq, reason)
            letter = DeadLetter(
                stream=stream,
                subject=message.subject,
                reason=Reason(code="invalid_input", message=reason),
                payload=message.data[:100_000].decode(errors="replace"),
                seq=message.seq,
                by=self._bus.source,
            )
            await self._bus.publish(dead(stream), letter, f"dead.{stream}.{message.seq}")


SUBJECTS = {"MATCH": "match.event.*", "LEDGER": "ledger.entry.*"}


def _stage(db: sqlite3.Connection, jobs: list[Job]) -> None:
    """Decide each job in turn in one transaction, each seeing those before it."""
    store.begin(db)
    next_seq = {stream: fold.position(db, stream) + 1 for stream in STREAMS}
    for job in jobs:
        db.execute("SAVEPOINT job")
        if not _decide(db, job, next_seq):
            db.execute("ROLLBACK TO job")
        db.execute("RELEASE job")


def _decide(db: sqlite3.Connection, job: Job, next_seq: dict[str, int]) -> bool:
    """Decide one and count its draft in as if it stood in the stream; False when it is refused."""
    job.error = job.reply = job.draft = None
    job.stands = False
    try:
        draft = job.act.decide(db)
        if draft is not None:
            job.seq = next_seq[draft.stream]
            _count_ahead(db, draft, job.seq)
            next_seq[draft.stream] += 1
        job.reply, job.draft = job.act.reply(db), draft
    except SovereignError as error:
        job.error = error
    return job.error is None


def _count_ahead(db: sqlite3.Connection, draft: Draft, seq: int) -> None:
    reason = fold.apply(db, draft.stream, Stored(seq, draft.subject, encode(draft.body)))
    if reason is not None:
        raise SovereignError(f"{draft.subject}: refused by our own fold: {reason}")


def _pick_up(db: sqlite3.Connection, jobs: list[Job]) -> None:
    """After a broken chain: those in the stream are done, all others are decided anew.

    Also the refused and those that seemed done before, for they may have seen what broke.
    """
    for job in jobs:
        if job.stands:
            job.reply = job.act.reply(db)
        elif job.draft is None or job.error is None or isinstance(job.error, Conflict):
            _again(job)


def _again(job: Job) -> None:
    """Have the job decided anew, unless that was done too often."""
    job.attempts += 1
    if job.attempts <= ATTEMPTS:
        job.error = job.reply = None
    elif job.error is None:
        job.error = Conflict("others wrote first, too often; try again")


def _count_in(stream: str, page: list[Stored], db: sqlite3.Connection) -> list[tuple[Stored, str]]:
    """Count a page in, in one transaction; return what was refused, with the reasons."""
    store.begin(db)
    try:
        found = [(message, fold.apply(db, stream, message)) for message in page]
        store.commit(db)
    finally:
        store.rollback(db)
    return [(message, reason) for message, reason in found if reason is not None]


def _fail(jobs: list[Job], error: SovereignError) -> None:
    """Tell all who wait the same error."""
    for job in jobs:
        job.error = error
        job.resolve()
