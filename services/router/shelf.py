"""Answers shared by routers and kept over restarts: a key-value bucket with a time for each key.

The process knows which keys are there (listed once, then told by `cache.event.store`), so a look
for an answer that nobody has costs nothing. Without the bus, each router has its own cache still.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError
from nats.js.kv import KeyValue

from services.router.engine import Answer
from shared.bus import Bus
from shared.streams import ANSWERS
from shared.subjects import cache_event

log = logging.getLogger(__name__)

STORED = cache_event("store")
WAIT_S = 0.25
"""Longest wait for the bucket: an answer from the model is not far then."""
START_S = 2.0
REST_S = 5.0
"""Pause after the bucket failed."""
KEPT = tuple(one.name for one in fields(Answer) if one.name not in ("cost_usd", "queue_s"))
MOST_KEYS = 100_000
MOST_WAITING = 1_000
MOST_BYTES = 1 << 20


class Found(NamedTuple):
    """An answer of the bucket, and the seconds that it may still be used."""

    answer: Answer
    left_s: float


class Shelf:
    """`keep` never waits; `get` waits at most `WAIT_S`, and only for a key that is there."""

    def __init__(self, bus: Bus, ttl_s: Callable[[], float]) -> None:
        self._bus = bus
        self._ttl_s = ttl_s
        self._bucket: KeyValue | None = None
        self._known: OrderedDict[str, None] = OrderedDict()
        self._waiting: asyncio.Queue[tuple[str, bytes, float]] = asyncio.Queue(MOST_WAITING)
        self._rests_until = 0.0

    async def start(self) -> None:
        """Learn what is there, within `START_S`; what comes later is heard."""
        await self._bus.nc.subscribe(STORED, cb=self._heard)
        try:
            async with asyncio.timeout(START_S):
                await self._list()
        except TimeoutError:
            log.info("only %d shared answers are known", len(self._known))

    async def run(self) -> None:
        """Write for ever what is kept."""
        while True:
            key, value, ttl_s = await self._waiting.get()
            try:
                bucket = await self._open()
                await bucket.create(key, value, msg_ttl=max(1, round(ttl_s)))
            except KeyWrongLastSequenceError:
                continue  # another router was faster
            except (NatsError, TimeoutError, OSError) as error:
                self._failed(error)

    def keep(self, key: str, tenant: str, answer: Answer) -> None:
        """Take an answer to be written soon; one that is too large, or too many, is left out."""
        ttl_s = self._ttl_s()
        kept = {name: getattr(answer, name) for name in KEPT}
        document = {"tenant": tenant, "until": time.time() + ttl_s, "answer": kept}
        value = orjson.dumps(document, default=str)
        if len(value) <= MOST_BYTES and not self._waiting.full() and not self._resting:
            self._waiting.put_nowait((key, value, ttl_s))

    async def get(self, key: str, tenant: str) -> Found | None:
        """Return the answer under this key if it is this tenant's and its time is not over."""
        if key not in self._known or self._resting:
            return None
        try:
            async with asyncio.timeout(WAIT_S):
                entry = await (await self._open()).get(key)
            return _read(entry.value or b"", tenant)
        except KeyNotFoundError:
            self._known.pop(key, None)
        except (NatsError, TimeoutError, OSError) as error:
            self._failed(error)
        return None

    @property
    def _resting(self) -> bool:
        return time.monotonic() < self._rests_until

    async def _list(self) -> None:
        try:
            for key in await (await self._open()).keys():
                self._learn(key)
        except NoKeysError:
            return
        except (NatsError, TimeoutError, OSError) as error:
            self._failed(error)

    async def _heard(self, message: Msg) -> None:
        try:
            told = orjson.loads(message.data)
            if told.get("of", "chat") == "chat":
                self._learn(str(told["key"]))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return

    def _learn(self, key: str) -> None:
        self._known[key] = None
        if len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)

    async def _open(self) -> KeyValue:
        if self._bucket is None:
            self._bucket = await self._bus.js.key_value(ANSWERS.name)
        return self._bucket

    def _failed(self, error: Exception) -> None:
        self._rests_until = time.monotonic() + REST_S
        log.debug("answers are not shared for now: %s", error)


def _read(value: bytes, tenant: str) -> Found | None:
    """Return what was kept; None when it is another tenant's, too old, or no answer at all."""
    try:
        document: dict[str, Any] = orjson.loads(value)
        left_s = float(document["until"]) - time.time()
        if document["tenant"] != tenant or left_s <= 0:
            return None
        kept = document["answer"] | {"cost_usd": Decimal(0)}
        answer = Answer(**kept | {"tool_calls": tuple(kept["tool_calls"])})
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return Found(answer, left_s)
