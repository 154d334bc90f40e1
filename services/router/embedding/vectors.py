"""Vectors by key, in a bounded room: least recently used go first, all go after a while."""

from __future__ import annotations

import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.events import CacheEvent, CacheStatus

MAX_BYTES = 32 << 20
"""Room for 5,000 vectors of 768 dimensions, whatever `entries` says."""
OVERHEAD = 400
"""Bytes of an entry besides its numbers: key, objects, its place in the dictionary."""

Tell = Callable[[CacheEvent], None]


class Vector(NamedTuple):
    """Packed doubles, just as the engine told them, and the tokens of the text."""

    values: array[float]
    tokens: int

    @property
    def size(self) -> int:
        """Return the bytes that it takes to keep."""
        return len(self.values) * self.values.itemsize + OVERHEAD


@dataclass(frozen=True, slots=True)
class _Entry:
    vector: Vector
    expires: float


class VectorCache:
    """At most `entries` vectors for `ttl_s` seconds each; tells what it does to `tell`.

    Of a batch one event is told for each way that its texts went, with their count.
    """

    def __init__(
        self, entries: int, ttl_s: float, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._capacity = entries
        self._ttl_s = ttl_s
        self._tell = tell
        self._clock = clock
        self._held: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0
        self._counts = {"hit": 0, "miss": 0, "coalesced": 0, "evict": 0}
        self._expired = 0

    def get(self, key: bytes) -> Vector | None:
        """Return the vector kept under `key`, or None; `looked` tells about it."""
        entry = self._held.get(key)
        if entry is None:
            return None
        if entry.expires <= self._clock():
            self._drop(key)
            self._expired += 1
            return None
        self._held.move_to_end(key)
        return entry.vector

    def looked(self, kind: str, keys: Sequence[bytes], event: CacheEvent) -> None:
        """Count looks that went the same way: `hit`, `miss`, or `coalesced` with some in flight."""
        if keys:
            self._counts[kind] += len(keys)
            self._say(kind, keys, event)

    def put(self, kept: dict[bytes, Vector], event: CacheEvent) -> None:
        """Keep complete vectors; make room for them."""
        if self._capacity == 0:
            return
        for key, vector in kept.items():
            if key in self._held:
                self._drop(key)
            self._held[key] = _Entry(vector, self._clock() + self._ttl_s)
            self._bytes += vector.size
        self._say("store", list(kept), event)
        self._make_room(event)

    def status(self) -> CacheStatus:
        """Return the counts of texts since the start; `hit_rate` is null before the first look."""
        found = self._counts["hit"] + self._counts["coalesced"]
        looks = found + self._counts["miss"]
        return CacheStatus(
            entries=len(self._held),
            capacity=self._capacity,
            ttl_s=self._ttl_s,
            hits=self._counts["hit"],
            misses=self._counts["miss"],
            coalesced=self._counts["coalesced"],
            evictions=self._counts["evict"],
            expired=self._expired,
            hit_rate=found / looks if looks else None,
        )

    def _make_room(self, event: CacheEvent) -> None:
        gone: list[bytes] = []
        while len(self._held) > self._capacity or self._bytes > MAX_BYTES:
            gone.append(next(iter(self._held)))
            self._drop(gone[-1])
        if gone:
            self._counts["evict"] += len(gone)
            self._say("evict", gone, event)

    def _drop(self, key: bytes) -> None:
        self._bytes -= self._held.pop(key).vector.size

    def _say(self, kind: str, keys: Sequence[bytes], event: CacheEvent) -> None:
        changes = {"kind": kind, "key": keys[0].hex(), "count": len(keys)}
        changes |= {"size": self._bytes, "entries": len(self._held)}
        self._tell(event.model_copy(update=changes))
