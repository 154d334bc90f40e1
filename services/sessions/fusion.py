"""The score of an event: its words, its neighbours, who wrote it, and its session's best.

Weights were tuned on three conversations of LoCoMo and checked on two others (benchmarks).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from services.sessions import words

NEIGHBOUR = 0.35
ACTOR = 0.5
SESSION = 0.4
BEST = 3
"""How many of a session's events make its prior."""


@dataclass(frozen=True)
class Spot:
    """Where an event stands: its session, its place in it, who wrote it."""

    session: int
    position: int
    actor: str


@dataclass(frozen=True)
class Ranked:
    """One event with its score and the parts whose sum it is."""

    seq: int
    score: float
    parts: dict[str, float]


def named(asked: Collection[str], spots: Mapping[int, Spot]) -> frozenset[str]:
    """Return the actors whom the query names by any word of their name."""
    wanted = set(asked)
    actors = {spot.actor for spot in spots.values()}
    return frozenset(actor for actor in actors if wanted.intersection(words.words(actor)))


def fuse(
    scores: Mapping[int, float], spots: Mapping[int, Spot], actors: Collection[str], size: int
) -> list[Ranked]:
    """Return all events, the best first; `size` is the number of events in the namespace.

    Scores are divided by their standard deviation over the namespace, so that one unit means
    the same for every query; ties go to the later event.
    """
    unit = _deviation(scores, size)
    plain = {seq: score / unit for seq, score in scores.items()}
    at = {(spot.session, spot.position): seq for seq, spot in spots.items()}
    parts = {seq: _own(seq, plain, spots[seq], at, actors) for seq in plain}
    prior = _priors(parts, spots)
    for seq, own in parts.items():
        own["session"] = SESSION * prior[spots[seq].session]
    ranked = [Ranked(seq, sum(own.values()), own) for seq, own in parts.items()]
    return sorted(ranked, key=lambda hit: (-hit.score, -hit.seq))


def _own(
    seq: int,
    plain: Mapping[int, float],
    spot: Spot,
    at: Mapping[tuple[int, int], int],
    actors: Collection[str],
) -> dict[str, float]:
    beside = (at.get((spot.session, spot.position + step)) for step in (-1, 1))
    near = sum(plain[other] for other in beside if other is not None)
    actor = ACTOR if spot.actor in actors else 0.0
    return {"words": plain[seq], "neighbours": NEIGHBOUR * near, "actor": actor}


def _priors(
    parts: Mapping[int, Mapping[str, float]], spots: Mapping[int, Spot]
) -> dict[int, float]:
    """Return for each session the mean of its best events' scores so far."""
    found: dict[int, list[float]] = defaultdict(list)
    for seq, own in parts.items():
        found[spots[seq].session].append(sum(own.values()))
    return {session: sum(sorted(s)[-BEST:]) / BEST for session, s in found.items()}


def _deviation(scores: Mapping[int, float], size: int) -> float:
    """Return the standard deviation over `size` events, of which the others score nothing."""
    count = max(size, len(scores), 1)
    mean = sum(scores.values()) / count
    spread = sum(score * score for score in scores.values()) / count - mean * mean
    return math.sqrt(spread) if spread > 0 else 1.0
