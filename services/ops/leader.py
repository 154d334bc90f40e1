"""Who leads: a lease in key-value bucket `leader`, whose revision fences every command.

A revision only ever grows, so a leader that was paused past its lease is refused by whoever
has seen its successor. Renewed each second, taken over within lease + poll.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import anyio
from nats.errors import Error as NatsError
from nats.js.errors import KeyWrongLastSequenceError
from nats.js.kv import KeyValue

from shared.bus import Bus
from shared.streams import LEADER

log = logging.getLogger(__name__)

KEY = "ops"
RENEW_S = 1.0
POLL_S = 0.5
ANSWER_S = 1.0


class Lease:
    """This candidate's hold on the lease; `who` is unique for each process that seeks it."""

    def __init__(self, bus: Bus, who: str, told: Callable[[bool], None]) -> None:
        self._bus = bus
        self._who = who.encode()
        self._told = told
        self._good_until = 0.0
        self._asked_at = 0.0
        self.revision = 0
        self.leader = ""

    @property
    def held(self) -> bool:
        """Whether this candidate leads now; false as soon as the lease may have run out."""
        return self.revision > 0 and time.monotonic() < self._good_until

    async def run(self) -> None:
        """Seek or renew the lease until cancelled, then give it back."""
        kv = await self._bus.js.key_value(LEADER.name)
        try:
            while True:
                await self._turn(kv)
                await asyncio.sleep(RENEW_S if self.held else POLL_S)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(ANSWER_S):
                await self._give_back(kv)

    async def _turn(self, kv: KeyValue) -> None:
        """Renew or try to take the lease once; while the server is silent nothing is known."""
        asked_before, self._asked_at = self._asked_at, time.monotonic()
        try:
            async with asyncio.timeout(ANSWER_S):
                revision = await self._ask(kv)
        except KeyWrongLastSequenceError:
            await self._look(kv, asked_before)
        except (NatsError, TimeoutError) as error:
            log.debug("lease: %s", error or type(error).__name__)
            if self.revision and not self.held:
                self._step_down()
        else:
            self._won(revision, self._asked_at)

    async def _ask(self, kv: KeyValue) -> int:
        if self.revision:
            return await kv.update(KEY, self._who, last=self.revision)
        return await kv.create(KEY, self._who)

    def _won(self, revision: int, since: float) -> None:
        """Count the lease from before the request, so that it never seems longer than it is."""
        fresh = not self.revision
        self.revision = revision
        self._good_until = since + LEADER.ttl_s
        self.leader = self._who.decode()
        if fresh:
            self._told(True)

    async def _look(self, kv: KeyValue, asked_before: float) -> None:
        """See who holds the lease: another one, or oneself by a renewal whose ack was lost."""
        try:
            async with asyncio.timeout(ANSWER_S):
                entry = await kv.get(KEY)
        except (NatsError, TimeoutError):
            self._step_down()
            return
        if entry.value == self._who and entry.revision is not None:
            self._won(entry.revision, asked_before)
            return
        self._step_down()
        self.leader = (entry.value or b"").decode()

    def _step_down(self) -> None:
        self.leader = ""
        if self.revision:
            self.revision = 0
            self._told(False)

    async def _give_back(self, kv: KeyValue) -> None:
        if not self.revision:
            return
        try:
            await kv.delete(KEY, last=self.revision)
        except (NatsError, TimeoutError):
            log.debug("the lease runs out by itself")
