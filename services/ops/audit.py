"""The audit of streams: do they answer, do their counts agree, did anything vanish?

A bit that rots in a file costs messages without a word (nats-server issues 7549, 7556); what a
stream counts then no longer fits its own sequences, or its past.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from nats.errors import Error as NatsError
from nats.js.api import ConsumerInfo, StreamState
from nats.js.errors import NotFoundError

from shared.bus import Bus
from shared.events.ops import OpsCheck
from shared.streams import CONSUMERS, STREAMS, Stream

QUEUE_WARN = 10_000
LAG_WARN = 1_000
REDELIVERED_WARN = 100
STUCK_SHARE = 0.9
"""Share of `max_ack_pending` from which a consumer is as good as stuck."""


@dataclass(frozen=True)
class Seen:
    """What the server said of the streams; `silent` did not answer, `missing` do not exist."""

    states: dict[str, StreamState]
    missing: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()


@dataclass
class Audit:
    """Compares each look with the one before."""

    _last: dict[str, tuple[int, int]] = field(default_factory=dict)

    def streams(self, seen: Seen) -> OpsCheck:
        """Return the check of all streams; `fail` where something was lost."""
        lost = [f"stream {name} is gone, with all that it held" for name in seen.missing]
        waits = [f"stream {name} does not answer" for name in seen.silent]
        for stream in STREAMS:
            state = seen.states.get(stream.name)
            if state is not None:
                lost += self._compare(stream, state)
                waits += _waiting(stream, state)
        counts = {name: state.messages for name, state in seen.states.items()}
        state_word = "fail" if lost else "warn" if waits else "ok"
        advice = "; ".join([*lost, *waits])
        return OpsCheck(
            name="streams", state=state_word, seen={"messages": counts}, advice=advice[:2000]
        )  # fmt: skip

    def _compare(self, stream: Stream, state: StreamState) -> list[str]:
        """Return what does not agree; a stream that went back in time was restored, or lost."""
        told = list(disagreements(stream, state))
        last_seq, messages = self._last.get(stream.name, (0, 0))
        if state.last_seq < last_seq:
            told.append(f"{stream.name} ended at {last_seq} and now ends at {state.last_seq}")
        keeps_all = not stream.queue and not stream.keep_s and stream.max_msgs < 0
        if keeps_all and state.messages < messages and stream.sealed:
            told.append(f"{stream.name} held {messages} messages and now holds {state.messages}")
        self._last[stream.name] = (state.last_seq, state.messages)
        return told


def disagreements(stream: Stream, state: StreamState) -> Iterable[str]:
    """Yield where the counts of a stream do not fit its sequences."""
    span = state.last_seq - state.first_seq + 1 if state.messages else 0
    holes = span - state.messages
    deleted = state.num_deleted or 0
    if holes < 0 or (state.messages and holes != deleted):
        yield f"{stream.name}: {state.messages} messages in {span} sequences, {deleted} deleted"
    if stream.sealed and (deleted or state.first_seq > 1):
        yield f"{stream.name} is sealed, but lacks messages ({deleted} deleted)"


async def look(bus: Bus) -> Seen:
    """Ask for the state of every declared stream."""
    states: dict[str, StreamState] = {}
    missing, silent = [], []
    for stream in STREAMS:
        try:
            states[stream.name] = (await bus.js.stream_info(stream.name)).state
        except NotFoundError:
            missing.append(stream.name)
        except (NatsError, TimeoutError):
            silent.append(stream.name)
    return Seen(states, tuple(missing), tuple(silent))


async def look_at_consumers(bus: Bus) -> dict[tuple[str, str], ConsumerInfo | None]:
    """Ask for every declared consumer; None for one that does not exist."""
    found: dict[tuple[str, str], ConsumerInfo | None] = {}
    for consumer in CONSUMERS:
        key = (consumer.stream, consumer.name)
        try:
            found[key] = await bus.js.consumer_info(*key)
        except NotFoundError:
            found[key] = None
    return found


def consumers(found: dict[tuple[str, str], ConsumerInfo | None]) -> tuple[OpsCheck, bool]:
    """Return the check of all consumers, and whether one has to be declared anew."""
    missing = [f"{stream}/{name}" for (stream, name), info in found.items() if info is None]
    advice = [f"consumer {name} is gone" for name in missing]
    seen: dict[str, Any] = {}
    for (stream, name), info in found.items():
        if info is None:
            continue
        lag = {"pending": info.num_pending or 0, "unacknowledged": info.num_ack_pending or 0,
               "redelivered": info.num_redelivered or 0}  # fmt: skip
        if any(lag.values()):
            seen[f"{stream}/{name}"] = lag
        advice += _lagging(f"{stream}/{name}", lag, info.config.max_ack_pending or 0)
    state = "fail" if missing else "warn" if advice else "ok"
    return OpsCheck(name="consumers", state=state, seen=seen, advice="; ".join(advice)), bool(
        missing
    )


def _lagging(name: str, lag: dict[str, int], most: int) -> Iterable[str]:
    if lag["pending"] > LAG_WARN:
        yield f"{lag['pending']} messages wait for {name}: add workers"
    if most > 0 and lag["unacknowledged"] >= STUCK_SHARE * most:
        yield f"{name} holds {lag['unacknowledged']} messages and acknowledges none of them"
    if lag["redelivered"] > REDELIVERED_WARN:
        yield f"{lag['redelivered']} messages of {name} were delivered again"


def _waiting(stream: Stream, state: StreamState) -> Iterable[str]:
    if stream.queue and state.messages > QUEUE_WARN:
        yield f"{state.messages} messages wait in {stream.name}: add workers"
