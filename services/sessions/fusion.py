"""The score of an event: its words, its meaning, its neighbours, who wrote it, its session's best.

Weights were tuned on three conversations of LoCoMo and checked on two others (benchmarks).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import NamedTuple

from services.sessions import words

NEAR = {-2: 0.2, -1: 0.5, 1: 0.5, 2: 0.1}
"""Share of a neighbour's score, by how many places before or after the event it stands."""

MEANING = 0.8
"""Weight of a standard deviation of the cosine, where an embedding model helps."""

STEPS = tuple(NEAR.items())

BESIDE = 0.8
"""Share of the neighbours' weight that is left where meanings count too: they overlap."""

ACTOR = 2.0
SESSION = 0.2
BEST = 3
"""How many of a session's events make its prior."""

MACHINES = frozenset(("crew", "import", "sessions", "somebody"))
"""Actors whose names are plain words of a query and no people."""


class Spot(NamedTuple):
    """Where an event stands: its session, its place in it, who wrote it."""

    session: int
    position: int
    actor: str


class Ranked(NamedTuple):
    """One event with its score and the parts whose sum it is."""

    seq: int
    score: float
    parts: dict[str, float]


def named(asked: Collection[str], spots: Mapping[int, Spot]) -> frozenset[str]:
    """Return the actors whom the query names by any word of their name; machines are none."""
    wanted = set(asked)
    actors = {spot.actor for spot in spots.values()} - MACHINES
    return frozenset(actor for actor in actors if wanted.intersection(words.words(actor)))


def fuse(
    scores: Mapping[int, float],
    spots: Mapping[int, Spot],
    actors: Collection[str],
    size: int,
    near: Mapping[int, float] = MappingProxyType({}),
) -> list[Ranked]:
    """Return all events, the best first; `size` is the number of events in the namespace.

    Scores are divided by their standard deviation over the namespace, so that one unit means
    the same for every query; ties go to the later event. `near` are scores by meaning.
    """
    unit = _deviation(scores, size)
    said = {seq: score / unit for seq, score in scores.items()}
    meant = {seq: MEANING * near[seq] for seq in said if seq in near}
    both = {seq: score + meant.get(seq, 0.0) for seq, score in said.items()} if meant else said
    share = BESIDE if meant else 1.0
    at = {(spot.session, spot.position): share * both[seq] for seq, spot in spots.items()}
    parts = {seq: _own(said[seq], spots[seq], at, actors) for seq in said}
    for seq, score in meant.items():
        parts[seq]["vectors"] = score
    sums = {seq: sum(own.values()) for seq, own in parts.items()}
    prior = _priors(sums, spots)
    for seq, own in parts.items():
        own["session"] = SESSION * prior[spots[seq].session]
    ranked = [Ranked(seq, sums[seq] + own["session"], own) for seq, own in parts.items()]
    return sorted(ranked, key=lambda hit: (-hit.score, -hit.seq))


def _own(
    said: float, spot: Spot, at: Mapping[tuple[int, int], float], actors: Collection[str]
) -> dict[str, float]:
    near = 0.0
    for step, share in STEPS:
        near += share * at.get((spot.session, spot.position + step), 0.0)
    return {
        "words": said, "neighbours": near, "actor": ACTOR if spot.actor in actors else 0.0
    }  # fmt: skip


def _priors(sums: Mapping[int, float], spots: Mapping[int, Spot]) -> dict[int, float]:
    """Return for each session the mean of its best events' scores so far."""
    found: dict[int, list[float]] = defaultdict(list)
    for seq, score in sums.items():
        found[spots[seq].session].append(score)
    return {session: sum(sorted(s)[-BEST:]) / BEST for session, s in found.items()}


def _deviation(scores: Mapping[int, float], size: int) -> float:
    """Return the standard deviation over `size` events, of which the others score nothing."""
    count = max(size, len(scores), 1)
    mean = sum(scores.values()) / count
    spread = sum(score * score for score in scores.values()) / count - mean * mean
    return math.sqrt(spread) if spread > 0 else 1.0
