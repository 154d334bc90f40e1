"""Sends what a file of another system holds, many at a time, and tells what was left out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from cli.connection import request, run
from cli.importing import Kind, Taken, rows, take
from cli.output import emit_json, say, tell
from cli.wishes import person
from shared.bus import Bus, encode
from shared.errors import InvalidInput
from shared.events.match import MatchAdd, MatchList, OutcomesAsk, OutcomesReply
from shared.settings import Settings, load

AT_ONCE = 32
"""Entries under way at a time."""
BATCH = 500
"""Outcomes of one message."""
WAIT_S = 60.0


def parties(path: Path, kind: Literal["profile", "need"], as_json: bool) -> None:
    """Add the profiles or needs of a file."""
    taken = _taken(path, kind)

    async def work(bus: Bus, _: Settings) -> int:
        room = asyncio.Semaphore(AT_ONCE)

        async def add(wish: MatchAdd) -> None:
            async with room:
                await request(bus, "match.add", wish, MatchList, WAIT_S)

        await asyncio.gather(*(add(wish) for wish in taken.bodies))
        return len(taken.bodies)

    _told(taken, {"added": run(work)}, as_json)


def outcomes(path: Path, as_json: bool) -> None:
    """Tell the outcomes of a file, in batches whose keys follow from what they hold."""
    taken = _taken(path, "outcome")
    batches = [taken.bodies[at : at + BATCH] for at in range(0, len(taken.bodies), BATCH)]

    async def work(bus: Bus, _: Settings) -> dict[str, int]:
        counted = known = 0
        for batch in batches:
            reply = await request(bus, "match.outcomes", _batch(batch), OutcomesReply, WAIT_S)
            counted += 0 if reply.duplicate else reply.counted
            known += reply.counted if reply.duplicate else 0
        return {"counted": counted, "known_before": known}

    _told(taken, run(work), as_json)


def _batch(batch: Sequence[Any]) -> OutcomesAsk:
    mark = hashlib.sha256(b"\n".join(encode(one) for one in batch)).hexdigest()[:40]
    return OutcomesAsk(key=f"outcomes-{mark}", outcomes=tuple(batch), actor=person())


def _taken(path: Path, kind: Kind) -> Taken:
    taken = take(rows(path), kind, load().match.currency)
    if not taken.bodies:
        why = next(iter(taken.left_out), "it holds no entries")
        raise InvalidInput(f"PATH: {path}: nothing to take: {why}", field="PATH")
    return taken


def _told(taken: Taken, done: dict[str, int], as_json: bool) -> None:
    if as_json:
        left, unknown = dict(taken.left_out), dict(taken.unknown)
        emit_json({**done, "left_out": left, "unknown_cells": unknown})
        return
    tell(", ".join(f"{count} {word.replace('_', ' ')}" for word, count in done.items()))
    for why, count in taken.left_out.most_common(10):
        say(f"left out {count}: {why}")
    for name, count in taken.unknown.most_common(10):
        say(f"not understood, so unknown: {name}, {count} times")
