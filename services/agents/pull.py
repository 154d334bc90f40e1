"""Taking steps by priority: nothing is fetched ahead, high goes first, low never starves.

The server tells `task.ready.<agent>.<priority>` after a step is stored; that wakes the puller,
which then asks the durable of that priority for one message without waiting. The word may be
faster than the durable, which then has nothing yet: the puller asks again within milliseconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import orjson
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js.errors import APIError

from shared.bus import Bus
from shared.events.tasks import Priority
from shared.streams import Consumer
from shared.subjects import task_ready
from shared.work import restore

log = logging.getLogger(__name__)

WEIGHTS = {Priority.URGENT: 8, Priority.HIGH: 4, Priority.NORMAL: 2, Priority.LOW: 1}
"""Steps that each priority gets of a round while all of them wait."""
ANSWER_S = 2.0
"""How long the server may take to say that it has nothing."""
AGAIN_S = (0.002, 0.01, 0.05, 0.2)
"""Pauses before a durable is asked again that had nothing of a step that was told of."""
NOBODY = "503"
"""The status of a question to a durable that is not there, or to a server without JetStream."""
_NOW = orjson.dumps({"batch": 1, "no_wait": True})

Taken = tuple[Msg, Consumer]


class Turns:
    """Whose turn it is: the highest priority that has turns left in this round."""

    def __init__(self, weights: Mapping[Priority, int] = WEIGHTS) -> None:
        self._weights = dict(weights)
        self._left = dict(weights)

    def order(self, waiting: set[Priority]) -> list[Priority]:
        """Return the waiting priorities, first the one to try first."""
        if not any(self._left[each] for each in waiting):
            self._left = dict(self._weights)
        ranked = [each for each in self._weights if each in waiting]
        return sorted(ranked, key=lambda each: self._left[each] == 0)

    def took(self, priority: Priority) -> None:
        """Count one turn."""
        self._left[priority] = max(0, self._left[priority] - 1)


class Hopes:
    """Steps that were told of and not yet seen, and when to look for them once more.

    Another worker may have them: after the last pause they are given up.
    """

    def __init__(self) -> None:
        self._open: dict[Priority, int] = {}
        self._tries: dict[Priority, int] = {}

    def told(self, priority: Priority) -> None:
        """Count one step that is stored."""
        self._open[priority] = self._open.get(priority, 0) + 1
        self._tries[priority] = 0

    def took(self, priority: Priority) -> None:
        """Count one step that came."""
        self._open[priority] = max(0, self._open.get(priority, 0) - 1)
        self._tries[priority] = 0

    def pause(self, priority: Priority) -> float | None:
        """Return the seconds until the next look after one in vain; None to wait for a word."""
        tries = self._tries.get(priority, 0)
        if not self._open.get(priority) or tries >= len(AGAIN_S):
            self._open[priority] = 0
            return None
        self._tries[priority] = tries + 1
        return AGAIN_S[tries]


class Puller:
    """The queues of one kind of agent."""

    def __init__(self, bus: Bus, agent: str, consumers: Mapping[Priority, Consumer]) -> None:
        self._bus = bus
        self._agent = agent
        self._consumers = consumers
        self._turns = Turns()
        self._hopes = Hopes()
        self._waiting: set[Priority] = set(consumers)
        self._wake = asyncio.Event()
        self._replies: Subscription | None = None
        self._inbox = ""

    async def open(self) -> None:
        """Listen for new steps; the first look is at everything that waits already."""
        self._inbox = self._bus.nc.new_inbox()
        self._replies = await self._bus.nc.subscribe(self._inbox)
        await self._bus.nc.subscribe(task_ready(self._agent), cb=self._told)
        self.look_again()

    def look_again(self) -> None:
        """Ask all queues once more: for what came back, or was told while nobody listened."""
        self._waiting = set(self._consumers)
        self._wake.set()

    async def next(self) -> Taken:
        """Wait for the next step to run."""
        while True:
            for priority in self._turns.order(self._waiting):
                self._waiting.discard(priority)
                message = await self._ask(self._consumers[priority])
                if message is not None:
                    self._took(priority, message)
                    return message, self._consumers[priority]
                self._hope(priority)
            if not self._waiting:
                await self._wake.wait()
                self._wake.clear()

    async def _told(self, message: Msg) -> None:
        priority = Priority(message.subject.split(".")[-1])
        self._hopes.told(priority)
        self._wait_for(priority)

    def _took(self, priority: Priority, message: Msg) -> None:
        """Count a step; its durable is asked again only when it holds more."""
        self._turns.took(priority)
        self._hopes.took(priority)
        if message.metadata.num_pending:
            self._waiting.add(priority)

    def _hope(self, priority: Priority) -> None:
        pause_s = self._hopes.pause(priority)
        if pause_s is not None:
            asyncio.get_running_loop().call_later(pause_s, self._wait_for, priority)

    def _wait_for(self, priority: Priority) -> None:
        self._waiting.add(priority)
        self._wake.set()

    async def _ask(self, consumer: Consumer) -> Msg | None:
        """Return one message, or None when the queue is empty or the server away."""
        assert self._replies is not None  # noqa: S101 - open() comes first
        while self._replies.pending_msgs:  # late answers to a question that was given up
            late = await self._replies.next_msg(timeout=ANSWER_S)
            if not _status(late):
                return late
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{consumer.stream}.{consumer.name}"
        try:
            await self._bus.nc.publish(subject, _NOW, self._inbox)
            reply = await self._replies.next_msg(timeout=ANSWER_S)
        except (NatsError, TimeoutError) as error:
            log.debug("%s: %s", consumer.name, error or type(error).__name__)
            return None
        if _status(reply) == NOBODY:
            await restored(self._bus, consumer)
        return None if _status(reply) else reply


async def restored(bus: Bus, consumer: Consumer) -> None:
    """Declare the durable again if that is why nobody answered."""
    try:
        await restore(bus, consumer)
    except (NatsError, APIError, TimeoutError) as error:
        log.warning("%s: %s", consumer.name, error or type(error).__name__)


def _status(message: Msg) -> str:
    """Return the server's status, such as 404 for an empty queue; a step has none."""
    return str((message.headers or {}).get("Status", ""))
