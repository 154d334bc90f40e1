"""A made-up market, seeded, and how fast it is ranked and paired.

Run it by itself: products of matrices take one thread only if match is loaded before numpy.
"""

from __future__ import annotations

import services.match  # noqa: F401 - before numpy, as in the service itself

# isort: split
import json
import random
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
import orjson
from scipy.optimize import linear_sum_assignment

from services.match.asked import asked
from services.match.pool import Pool, gather
from services.match.scoring import best, score
from services.match.stable import blocking, stable
from services.match.whole import Table, paired, views
from shared.events import Constraint, Money, Need

SKILLS = [f"skill{n}" for n in range(300)]
SECTORS = ["health", "finance", "retail", "energy", "media", "law", "public", "travel"]
LANGUAGES = ["en", "de", "fr", "es", "pl"]
WORDS = [f"word{n}" for n in range(5000)]


def text(dice: random.Random, length: int) -> str:
    return " ".join(WORDS[int(5000 * dice.random() ** 2)] for _ in range(length))


def profile(dice: random.Random, number: int) -> bytes:
    body = {
        "party_id": f"p{number}",
        "name": f"P {number}",
        "skills": [
            {"name": SKILLS[int(300 * dice.random() ** 2)], "level": dice.random()}
            for _ in range(dice.randint(2, 10))
        ],
        "sectors": dice.sample(SECTORS, dice.randint(0, 3)),
        "languages": dice.sample(LANGUAGES, dice.randint(0, 3)),
        "rate": {"minor": dice.randint(3000, 20000), "currency": "USD"},
        "capacity": dice.randint(1, 3),
        "available": dice.choice([True, True, None]),
        "min_budget": None,
        "bio": text(dice, 40),
        "items": [text(dice, 30)],
    }
    return orjson.dumps(body)


def need(dice: random.Random, number: int) -> Need:
    return Need(
        need_id=f"n{number}",
        party_id=f"c{number}",
        title=text(dice, 6),
        required=(SKILLS[int(300 * dice.random() ** 2)],),
        nice=tuple(SKILLS[int(300 * dice.random() ** 2)] for _ in range(5)),
        sectors=tuple(dice.sample(SECTORS, 2)),
        languages=("en",),
        budget=Money(minor=dice.randint(6000, 20000), currency="USD"),
        constraints=(Constraint(field="language", op="has", value="en"),),
        text=text(dice, 40),
    )


def loose(dice: random.Random, number: int) -> Need:
    """Return a need whose only limit is its budget, which rules out 5 % of all pairs."""
    made = need(dice, number)
    budget = Money(minor=dice.randint(10_000, 20_000), currency="USD")
    wanted = (*made.required, *made.nice)
    left = {"required": (), "nice": wanted, "constraints": (), "budget": budget}
    return made.model_copy(update=left)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rank(size: int = 100_000, asks: int = 40) -> dict[str, float]:
    """Milliseconds to rank `size` providers for one need, exactly: all parts, limits, top 10."""
    dice = random.Random(7)
    start = time.process_time()
    pool = gather(
        (profile(dice, n) for n in range(size)),
        {},
        {f"p{n}": (n % 7, 7) for n in range(0, size, 3)},
    )
    built = time.process_time() - start
    times = []
    for number in range(asks):
        ready = asked(need(dice, number))
        start = time.process_time()
        best(score(ready, pool), pool, 10, blocked=False)
        times.append(1000 * (time.process_time() - start))
    return {
        "providers": size,
        "build_s": built,
        "p50_ms": float(np.percentile(times, 50)),
        "p95_ms": float(np.percentile(times, 95)),
        "one_change_ms": float(np.median([change(pool, dice) for _ in range(20)])),
        "peak_mb": peak_mb(),
    }


def change(pool: Pool, dice: random.Random) -> float:
    """Milliseconds until one changed profile counts."""
    body = orjson.loads(profile(dice, 5))
    start = time.process_time()
    pool.put(body)
    return 1000 * (time.process_time() - start)


def table(size: int, kind: Callable[[random.Random, int], Need] = need) -> Table:
    """Return so many needs and providers, each with one place."""
    dice = random.Random(7)
    pool = gather((profile(dice, n) for n in range(size)), {}, {})
    needs = [kind(dice, n) for n in range(size)]
    ones = np.ones(size, np.int64)
    asks = [asked(one) for one in needs]
    return Table(needs, asks, [set()] * size, ones, pool, np.arange(size), ones, 0.0)


def pair(size: int, kind: Callable[[random.Random, int], Need] = need) -> dict[str, float | str]:
    """Seconds to score and pair `size` needs with `size` providers, and what it comes to."""
    made = table(size, kind)
    before = peak_mb()
    start, wall = time.process_time(), time.perf_counter()
    found = paired(made, "optimal")
    took = {"cpu_s": time.process_time() - start, "wall_s": time.perf_counter() - wall}
    return {
        "size": size, "kind": kind.__name__, **took, "peak_mb": peak_mb(), "before_mb": before,
        "total": float(found.values.total.sum(dtype=np.float64)), "pairs": len(found.pairs.rows),
        "blocking": found.blocking, "method": found.pairs.method, "at_most": found.at_most,
    }  # fmt: skip


def peers(
    size: int, total: float, kind: Callable[[random.Random, int], Need] = need
) -> dict[str, float]:
    """The optimum of the same pool by scipy over the whole matrix, and stable pairs."""
    made = table(size, kind)
    start = time.process_time()
    seen = views(made)
    scored = time.process_time() - start
    start = time.process_time()
    at, to = linear_sum_assignment(seen.total, maximize=True)
    dense_s = time.process_time() - start
    best_total = float(seen.total[at, to].sum(dtype=np.float64))
    held = stable(seen.client, seen.provider, made.places, made.room)
    return {
        "size": size,
        "matrix_s": scored,
        "scipy_dense_s": dense_s,
        "share_of_optimum": total / best_total,
        "stable_share": float(seen.total[held.rows, held.columns].sum()) / best_total,
        "stable_blocking": blocking(seen.client, seen.provider, held, made.places, made.room),
    }


def run() -> None:
    """Print one JSON document a measurement."""
    print(json.dumps(rank(), indent=1))
    for size, kind in ((1000, need), (5000, need), (5000, loose)):
        found = pair(size, kind)
        print(json.dumps(found, indent=1))
        print(json.dumps(peers(size, float(found["total"]), kind), indent=1))


if __name__ == "__main__":
    what = sys.argv[1:] or ["rank", "1000", "5000", "loose"]
    for name in what:
        if name == "rank":
            print(json.dumps(rank(), indent=1))
        else:
            made = pair(5000, loose) if name == "loose" else pair(int(name))
            print(json.dumps(made, indent=1))
