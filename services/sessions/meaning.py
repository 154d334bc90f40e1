"""Search by meaning, where an embedding model answers: never needed, never waited for long.

One loop asks `model.embed` for the vectors of new events; a query is embedded when it comes.
Without a model the loop looks again now and then, and search goes by words alone.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from anyio.to_thread import run_sync
from nats.errors import Error as NatsError

from services.sessions.facts import searchable
from services.sessions.index import Index
from services.sessions.stored import stored_event
from services.sessions.vectors import VectorFile, key_of
from shared.bus import Bus
from shared.errors import SovereignError
from shared.events import EmbedReply, EmbedRequest, SessionEvent

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

LOOK_S = 1.0
AGAIN_S = 30.0
"""Pause after a model did not answer."""
QUERY_S = 1.0
"""How long a search waits for the vector of its query."""
BATCH = 32
PAGE = 512
LONGEST = 2000
"""Characters of an event that its vector stands for."""
LARGEST = 20_000
"""Events of a namespace, the latest ones, that are searched by meaning."""
TOP = 60
QUERIES = 256
SOURCE = "sessions"
"""Who asks for these vectors, in the router's record."""

EVENTS = """
SELECT event.seq, session.namespace, event.body FROM event
JOIN session ON session.id = event.session
WHERE event.seq > ? AND event.kind != 'session.forgotten' ORDER BY event.seq LIMIT ?
"""

Row = tuple[int, str, bytes]


@dataclass
class Space:
    """The vectors of one namespace: a row each, in the order of the stream."""

    seqs: list[int] = field(default_factory=list)
    rows: list[np.ndarray[Any, Any]] = field(default_factory=list)
    matrix: np.ndarray[Any, Any] | None = None

    def add(self, seq: int, row: np.ndarray[Any, Any]) -> None:
        """Add one event, which is later than all others."""
        self.seqs.append(seq)
        self.rows.append(row)
        self.matrix = None
        if len(self.seqs) > LARGEST:
            del self.seqs[: LARGEST // 10], self.rows[: LARGEST // 10]

    def near(self, query: np.ndarray[Any, Any]) -> tuple[dict[int, float], list[int]]:
        """Return standard deviations above the mean cosine by event, and the best events."""
        import numpy as np

        if self.matrix is None:
            self.matrix = np.stack(self.rows).astype(np.float32)
        cosine = self.matrix @ query
        spread = float(cosine.std()) or 1.0
        scores = ((cosine - cosine.mean()) / spread).tolist()
        best = np.argsort(-cosine, kind="stable")[:TOP].tolist()
        return dict(zip(self.seqs, scores, strict=True)), [self.seqs[place] for place in best]


class Meaning:
    """The vectors of one index."""

    def __init__(self, bus: Bus, index: Index, file: VectorFile) -> None:
        self._bus = bus
        self._index = index
        self._file = file
        self._lock = asyncio.Lock()
        self._begin()

    def _begin(self, model: str = "") -> None:
        self._model = model
        self._spaces: dict[str, Space] = {}
        self._last = 0
        self._erased = ""
        self._queries: OrderedDict[str, np.ndarray[Any, Any]] = OrderedDict()

    async def run(self) -> None:
        """Keep up with the index until cancelled; trouble with the model passes."""
        while True:
            pause = LOOK_S
            try:
                await self.catch_up()
            except (SovereignError, NatsError, TimeoutError, sqlite3.Error) as error:
                log.debug("no vectors: %s", error or type(error).__name__)
                pause = AGAIN_S
            await asyncio.sleep(pause)

    async def catch_up(self) -> None:
        """Embed what is new, after leaving nothing here of what was erased."""
        await self.drop()
        async with self._lock:
            while self._last < self._index.last_seq:
                end = self._index.last_seq  # more may come in while these are embedded
                rows = await self._index.read(self._page)
                if rows:
                    await self._take(rows)
                seen = rows[-1][0] if rows else 0
                self._last = seen if len(rows) == PAGE else max(seen, end)

    async def drop(self) -> None:
        """Forget all vectors but those of events that are still there, if any were erased."""
        async with self._lock:
            erased = await self._index.erased()
            if erased != self._erased:
                await self._drop_erased(erased)

    async def _drop_erased(self, erased: str) -> None:
        rows = await self._index.read(lambda db: db.execute(EVENTS, (0, -1)).fetchall())
        keys = {key_of(text) for *_, text in _texts(rows)}
        await run_sync(self._file.drop_all_but, keys)
        self._begin(self._model)
        self._erased = erased

    def _page(self, db: sqlite3.Connection) -> list[Row]:
        return db.execute(EVENTS, (self._last, PAGE)).fetchall()

    async def _take(self, rows: Sequence[Row]) -> None:
        import numpy as np

        found = list(_texts(rows))
        if not self._model:
            self._model = (await self._ask([found[0][2]], 30.0, keep=False)).model
        keys = [key_of(text) for *_, text in found]
        known = await run_sync(self._file.known, self._model, keys)
        new = [text for *_, text in found if key_of(text) not in known]
        for start in range(0, len(new), BATCH):
            known |= await self._embedded(new[start : start + BATCH])
        for seq, namespace, text in found:
            row = np.frombuffer(known[key_of(text)], dtype=np.float16)
            self._spaces.setdefault(namespace, Space()).add(seq, row)

    async def _embedded(self, texts: list[str]) -> dict[bytes, bytes]:
        import numpy as np

        reply = await self._ask(texts, 60.0, keep=False)
        keys = [key_of(text) for text in texts]
        rows = [np.asarray(row, dtype=np.float16).tobytes() for row in reply.embeddings]
        made = dict(zip(keys, rows, strict=True))
        await run_sync(self._file.keep, self._model, made)
        return made

    async def _ask(self, texts: list[str], within_s: float, *, keep: bool = True) -> EmbedReply:
        """Return vectors; when the model is another one than before, begin anew with it.

        Vectors of events are kept here, where they are erased with them: the router shall not
        `keep` those.
        """
        cache: Literal["auto", "off"] = "auto" if keep else "off"
        ask = EmbedRequest(input=tuple(texts), timeout_s=within_s, cache=cache, source=SOURCE)
        reply = await self._bus.request("model.embed", ask, EmbedReply, within_s)
        if self._model and reply.model != self._model:
            self._begin(reply.model)
            raise SovereignError(f"the embedding model is now {reply.model}: embedding anew")
        if len(reply.embeddings) != len(texts):
            told = f"{len(reply.embeddings)} vectors for {len(texts)} texts"
            raise SovereignError(f"{reply.model} gave {told}")
        return reply

    async def near(self, namespace: str, query: str) -> tuple[Mapping[int, float], list[int]]:
        """Return events by meaning, and the best of them; nothing when no model answers.

        Nothing either when its vectors are not as long as those of before.
        """
        space = self._spaces.get(namespace)
        if space is None or not space.seqs:
            return {}, []
        try:
            return space.near(await self._query(query))
        except (SovereignError, NatsError, TimeoutError, ValueError) as error:
            log.info("search by words alone: %s", error or type(error).__name__)
            return {}, []

    async def _query(self, query: str) -> np.ndarray[Any, Any]:
        import numpy as np

        known = self._queries.get(query)
        if known is None:
            reply = await self._ask([query], QUERY_S)
            known = np.asarray(reply.embeddings[0], dtype=np.float32)
            self._queries[query] = known
            if len(self._queries) > QUERIES:
                self._queries.popitem(last=False)
        return known


def _texts(rows: Iterable[Row]) -> Iterable[tuple[int, str, str]]:
    for seq, namespace, body in rows:
        yield seq, namespace, text_of(stored_event(seq, body))


def text_of(event: SessionEvent) -> str:
    """Return what the vector of an event stands for: who said it, and what."""
    return f"{event.actor}: {searchable(event)}"[:LONGEST]
