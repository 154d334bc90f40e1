"""Complete answers by key: least recently used go first, all go after a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from services.router.engine import Answer
from services.router.kept import Kept
from shared.events import CacheEvent, CacheStatus

MAX_BYTES = 64 << 20
"""Of answers' text; many long ones must not eat the host's memory."""

Tell = Callable[[CacheEvent], None]


class Cache:
    """At most `entries` answers for `ttl_s` seconds each; tells what it does to `tell`."""

    def __init__(
        self, entries: int, ttl_s: float, tell: Tell, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kept: Kept[str, Answer] = Kept(entries, MAX_BYTES, ttl_s, clock)
        self._tell = tell

    def get(self, key: str, event: CacheEvent) -> Answer | None:
        """Return the answer kept under `key`, telling a hit in the words of `event`, or None."""
        held = self._kept.find(key)
        if held is None:
            return None
        self._say("hit", event, held.size)
        return held.value

    def take_over(self, key: str, answer: Answer, left_s: float, event: CacheEvent) -> None:
        """Keep an answer that another router had kept for `left_s` more seconds: a hit."""
        size = _size(answer)
        if key not in self._kept and self._kept.keep(key, answer, size, left_s):
            self._make_room(event)
        self._say("hit", event.model_copy(update={"tier": "shared"}), size)

    def looked(self, kind: str, event: CacheEvent) -> None:
        """Count a look that found nothing kept: `miss`, or `coalesced` with one in flight."""
        self._say(kind, event, 0)

    def put(self, key: str, answer: Answer, event: CacheEvent) -> None:
        """Keep a complete answer; make room for it."""
        size = _size(answer)
        if self._kept.keep(key, answer, size):
            self._say("store", event, size)
            self._make_room(event)

    def resize(self, entries: int, ttl_s: float) -> None:
        """Hold so many from now on; answers that are kept already keep their end."""
        self._kept.resize(entries, ttl_s)
        self._make_room(CacheEvent(kind="evict", key=""))

    def status(self) -> CacheStatus:
        """Return the counts since the start; `hit_rate` is null before the first look."""
        return self._kept.status()

    def _make_room(self, event: CacheEvent) -> None:
        for key, held in self._kept.crowd_out():
            self._told("evict", event.model_copy(update={"key": key}), held.size)

    def _say(self, kind: str, event: CacheEvent, size: int) -> None:
        self._kept.count(kind)
        self._told(kind, event, size)

    def _told(self, kind: str, event: CacheEvent, size: int) -> None:
        changes = {"kind": kind, "size": size, "entries": len(self._kept)}
        self._tell(event.model_copy(update=changes))


def _size(answer: Answer) -> int:
    """Return the bytes of an answer, roughly."""
    return len(answer.content.encode()) + 512
