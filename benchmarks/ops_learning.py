"""Does learning lower the mean time to repair? Seeded, simulated, against the fixed order."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import Any

from benchmarks.table import show
from services.ops.lessons import Lessons
from services.ops.policy import REMEDIES
from shared.events.ops import OpsEvent

RUNS = 200
EPISODES = 100
WORKED_S = 3.0
FAILED_S = 20.0
PERSON_S = 600.0
"""A remedy that works takes 3 s, one that does not is given up after 20 s (`VERIFY_S`), and when
none works a person comes after ten minutes."""


@dataclass(frozen=True)
class World:
    """How often each remedy of a symptom truly works, in the policy's order."""

    name: str
    symptom: str
    works: tuple[float, ...]


WORLDS = (
    World("the policy is right", "hang", (0.95, 0.60)),
    World("the second is better", "hang", (0.20, 0.90)),
    World("the first never works", "slow_answers", (0.02, 0.85)),
    World("both are alike", "memory", (0.70, 0.70)),
)


def run() -> None:
    """Print the mean time to repair over the first and the last ten episodes, both ways."""
    show("ops_learning", f"Mean seconds to repair, {RUNS} seeds x {EPISODES} episodes",
         [row(world) for world in WORLDS])  # fmt: skip


def row(world: World) -> dict[str, Any]:
    """Compare both ways of choosing in one world."""
    fixed = [episodes(world, seed, learns=False) for seed in range(RUNS)]
    learnt = [episodes(world, seed, learns=True) for seed in range(RUNS)]
    return {
        "world": world.name,
        "true success": " / ".join(f"{p:.2f}" for p in world.works),
        "fixed_order_s": _mean(fixed, 0, EPISODES),
        "learning_s": _mean(learnt, 0, EPISODES),
        "learning_first_10_s": _mean(learnt, 0, 10),
        "learning_last_10_s": _mean(learnt, EPISODES - 10, EPISODES),
        "ratio": round(_mean(learnt, 0, EPISODES) / _mean(fixed, 0, EPISODES), 2),
    }


def episodes(world: World, seed: int, *, learns: bool) -> list[float]:
    """Return how long each repair took; what works is drawn from the seed alone."""
    fate, lessons = random.Random(seed), Lessons(random.Random(seed + 1))
    took = []
    for _ in range(EPISODES):
        luck = [fate.random() < works for works in world.works]
        took.append(_repair(world, luck, lessons if learns else Lessons()))
    return took


def _repair(world: World, luck: list[bool], lessons: Lessons) -> float:
    order = REMEDIES[world.symptom]  # type: ignore[index]
    left, spent = list(order), 0.0
    while left:
        remedy = lessons.choose(world.symptom, order, left)
        worked = luck[order.index(remedy)]  # type: ignore[arg-type]
        outcome = "recovered" if worked else "not back"
        lessons.learn(OpsEvent(event_id="e", kind="outcome", symptom=world.symptom,
                               remedy=remedy, outcome=outcome))  # fmt: skip
        if worked:
            return spent + WORKED_S
        spent += FAILED_S
        left.remove(remedy)  # type: ignore[arg-type]
    return spent + PERSON_S


def _mean(runs: list[list[float]], start: int, end: int) -> float:
    return round(statistics.mean(took for one in runs for took in one[start:end]), 1)
