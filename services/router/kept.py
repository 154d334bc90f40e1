"""What is kept for a while in a bounded room: least recently used goes first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.events import CacheStatus

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Held(Generic[Value]):
    """A value, the end of its time on the clock, and its bytes."""

    value: Value
    expires: float
    size: int


class Kept(Generic[Key, Value]):
    """At most `entries` values and `most` bytes in all, each for `ttl_s` seconds.

    It counts looks and evictions since the start; `clock` gives monotonic seconds.
    """

    def __init__(self, entries: int, most: int, ttl_s: float, clock: Callable[[], float]) -> None:
        self._entries = entries
        self._most = most
        self._ttl_s = ttl_s
        self._clock = clock
        self._held: OrderedDict[Key, Held[Value]] = OrderedDict()
        self._counts = {"hit": 0, "miss": 0, "coalesced": 0, "evict": 0}
        self._expired = 0
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: Key) -> bool:
        return key in self._held

    def find(self, key: Key) -> Held[Value] | None:
        """Return what is held, unless its time is over."""
        held = self._held.get(key)
        if held is None:
            return None
        if held.expires <= self._clock():
            self._drop(key)
            self._expired += 1
            return None
        self._held.move_to_end(key)
        return held

    def keep(self, key: Key, value: Value, size: int, ttl_s: float | None = None) -> bool:
        """Hold a value, for its own time if it has one; False when there can be no room for it."""
        if self._entries == 0 or size > self._most:
            return False
        if key in self._held:
            self._drop(key)
        expires = self._clock() + (self._ttl_s if ttl_s is None else ttl_s)
        self._held[key] = Held(value, expires, size)
        self.bytes += size
        return True

    def crowd_out(self) -> list[tuple[Key, Held[Value]]]:
        """Return what had to go because there is too much."""
        gone = []
        while len(self._held) > self._entries or self.bytes > self._most:
            oldest = next(iter(self._held))
            gone.append((oldest, self._drop(oldest)))
        self.count("evict", len(gone))
        return gone

    def resize(self, entries: int, ttl_s: float) -> None:
        """Hold so many from now on, until `crowd_out`; what is held already keeps its end."""
        self._entries, self._ttl_s = entries, ttl_s

    def count(self, kind: str, by: int = 1) -> None:
        """Count a `hit`, `miss` or `coalesced` look, or an `evict`; other kinds are not counted."""
        if kind in self._counts:
            self._counts[kind] += by

    def status(self) -> CacheStatus:
        """Return the counts since the start; `hit_rate` is null before the first look."""
        found = self._counts["hit"] + self._counts["coalesced"]
        looks = found + self._counts["miss"]
        return CacheStatus(
            entries=len(self._held),
            capacity=self._entries,
            ttl_s=self._ttl_s,
            hits=self._counts["hit"],
            misses=self._counts["miss"],
            coalesced=self._counts["coalesced"],
            evictions=self._counts["evict"],
            expired=self._expired,
            hit_rate=found / looks if looks else None,
        )

    def _drop(self, key: Key) -> Held[Value]:
        held = self._held.pop(key)
        self.bytes -= held.size
        return held
