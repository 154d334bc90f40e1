"""Complete answers by key: least recently used go first, all go after a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.router.engine import Answer
from shared.events import CacheEvent, CacheStatus

MAX_BYTES = 64 << 20
"""Of answers' text; many long ones must not eat the host's memory."""

Tell = Callable[[CacheEvent], None]


@dataclass(frozen=True, slots=True)
class _Entry:
    answer: Answer
    expires: float
    size: int


class Cache:
    """At most `entries` answers for `ttl_s` seconds each; tells what it does to `tell`."""

    def __init__(
        self, entries: int, ttl_s: float, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = entries
        self._ttl_s = ttl_s
        self._tell = tell
        self._clock = clock
        self._held: OrderedDict[str, _Entry] = OrderedDict()
        self._bytes = 0
        self._counts = {"hit": 0, "miss": 0, "coalesced": 0, "evict": 0}
        self._expired = 0

    def get(self, key: str, event: CacheEvent) -> Answer | None:
        """Return the answer kept under `key`, telling a hit in the words of `event`, or None."""
        entry = self._held.get(key)
        if entry is not None and entry.expires <= self._clock():
            self._drop(key)
            self._expired += 1
            entry = None
        if entry is None:
            return None
        self._held.move_to_end(key)
        self._say("hit", event, entry.size)
        return entry.answer

    def take_over(self, key: str, answer: Answer, left_s: float, event: CacheEvent) -> None:
        """Keep an answer that another router had kept for `left_s` more seconds: a hit."""
        size = _size(answer)
        if self._capacity and size <= MAX_BYTES and key not in self._held:
            self._held[key] = _Entry(answer, self._clock() + left_s, size)
            self._bytes += size
            self._make_room(event)
        self._say("hit", event.model_copy(update={"tier": "shared"}), size)

    def looked(self, kind: str, event: CacheEvent) -> None:
        """Count a look that found nothing kept: `miss`, or `coalesced` with one in flight."""
        self._say(kind, event, 0)

    def put(self, key: str, answer: Answer, event: CacheEvent) -> None:
        """Keep a complete answer; make room for it."""
        size = _size(answer)
        if self._capacity == 0 or size > MAX_BYTES:
            return
        if key in self._held:
            self._drop(key)
        self._held[key] = _Entry(answer, self._clock() + self._ttl_s, size)
        self._bytes += size
        self._say("store", event, size)
        self._make_room(event)

    def resize(self, entries: int, ttl_s: float) -> None:
        """Hold so many from now on; answers that are kept already keep their end."""
        self._capacity, self._ttl_s = entries, ttl_s
        self._make_room(CacheEvent(kind="evict", key=""))

    def status(self) -> CacheStatus:
        """Return the counts since the start; `hit_rate` is null before the first look."""
        hits, misses = self._counts["hit"], self._counts["miss"]
        coalesced = self._counts["coalesced"]
        looks = hits + misses + coalesced
        return CacheStatus(
            entries=len(self._held),
            capacity=self._capacity,
            ttl_s=self._ttl_s,
            hits=hits,
            misses=misses,
            coalesced=coalesced,
            evictions=self._counts["evict"],
            expired=self._expired,
            hit_rate=(hits + coalesced) / looks if looks else None,
        )

    def _make_room(self, event: CacheEvent) -> None:
        while len(self._held) > self._capacity or self._bytes > MAX_BYTES:
            oldest = next(iter(self._held))
            gone = self._drop(oldest)
            self._say("evict", event.model_copy(update={"key": oldest}), gone.size)

    def _drop(self, key: str) -> _Entry:
        entry = self._held.pop(key)
        self._bytes -= entry.size
        return entry

    def _say(self, kind: str, event: CacheEvent, size: int) -> None:
        if kind in self._counts:
            self._counts[kind] += 1
        changes = {"kind": kind, "size": size, "entries": len(self._held)}
        self._tell(event.model_copy(update=changes))


def _size(answer: Answer) -> int:
    """Return the bytes of an answer, roughly."""
    return len(answer.content.encode()) + 512
