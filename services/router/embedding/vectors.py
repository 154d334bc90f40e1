"""Vectors by key, in a bounded room: least recently used go first, all go after a while."""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.router.kept import Kept
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


class VectorCache:
    """At most `entries` vectors for `ttl_s` seconds each; tells what it does to `tell`.

    Of a batch one event is told for each way that its texts went, with their count.
    """

    def __init__(
        self, entries: int, ttl_s: float, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept: Kept[bytes, Vector] = Kept(entries, MAX_BYTES, ttl_s, clock)
        self._tell = tell

    def get(self, key: bytes) -> Vector | None:
        """Return the vector kept under `key`, or None; `looked` tells about it."""
        held = self._kept.find(key)
        return None if held is None else held.value

    def looked(self, kind: str, keys: Sequence[bytes], event: CacheEvent) -> None:
        """Count looks that went the same way: `hit`, `miss`, or `coalesced` with some in flight."""
        self._kept.count(kind, len(keys))
        self._say(kind, keys, event)

    def put(self, kept: dict[bytes, Vector], event: CacheEvent) -> None:
        """Keep complete vectors; make room for them."""
        stored = [key for key, one in kept.items() if self._kept.keep(key, one, one.size)]
        self._say("store", stored, event)
        self._say("evict", [key for key, _ in self._kept.crowd_out()], event)

    def status(self) -> CacheStatus:
        """Return the counts of texts since the start; `hit_rate` is null before the first look."""
        return self._kept.status()

    def _say(self, kind: str, keys: Sequence[bytes], event: CacheEvent) -> None:
        if not keys:
            return
        changes = {"kind": kind, "key": keys[0].hex(), "count": len(keys)}
        changes |= {"size": self._kept.bytes, "entries": len(self._kept)}
        self._tell(event.model_copy(update=changes))
