"""Many needs at once give the very numbers that each need gives alone."""

import random

import numpy as np
import pytest

from services.match import bulk
from services.match.asked import asked
from services.match.pool import gather
from services.match.scoring import score
from shared.events import Constraint
from tests.match.conftest import need, provider, usd

SKILLS = ["python", "go", "sql", "php", "react"]
TONGUES = ["en", "de", "fr"]
WORDS = ["ledger", "shop", "bank", "garden", "api", "pond", "report", "mobile", "data", "order"]


def maybe(dice, value):
    return value if dice.random() < 0.7 else None


def any_provider(dice, number):
    return provider(
        f"p{number}",
        skills=tuple(
            {"name": name, "level": maybe(dice, dice.random())}
            for name in dice.sample(SKILLS, dice.randint(0, 3))
        ),
        rate=maybe(dice, usd(dice.randint(3000, 16_000))),
        min_budget=maybe(dice, usd(dice.randint(3000, 9000))),
        available=dice.choice([None, True, True, False]),
        languages=tuple(dice.sample(TONGUES, dice.randint(0, 2))),
        sectors=tuple(dice.sample(["retail", "health"], dice.randint(0, 2))),
        timezone=maybe(dice, "Europe/Berlin"),
        bio="\n\n".join(" ".join(dice.choices(WORDS, k=9)) for _ in range(dice.randint(0, 5))),
    )


def any_need(dice, number):
    rules = [
        Constraint(field="language", op="has", value="de", hard=dice.random() < 0.5),
        Constraint(field="rate", op="at_most", value=9000, hard=dice.random() < 0.5),
        Constraint(field="timezone", op="is", value="Europe/Berlin", hard=dice.random() < 0.5),
    ]
    return need(
        f"n{number}",
        required=tuple(dice.sample(SKILLS, dice.randint(0, 1))),
        nice=tuple(dice.sample(SKILLS, dice.randint(0, 3))),
        languages=tuple(dice.sample(TONGUES, dice.randint(0, 2))),
        sectors=tuple(dice.sample(["retail", "health"], dice.randint(0, 1))),
        budget=maybe(dice, usd(dice.randint(5000, 12_000))),
        hours=maybe(dice, 1.0),
        constraints=tuple(dice.sample(rules, dice.randint(0, 2))),
        text=" ".join(dice.choices(WORDS, k=dice.randint(0, 8))),
    )


@pytest.mark.parametrize("dearer", [0, 1e9])
def test_numbers_and_limits_are_those_of_one_need_alone(monkeypatch, dearer):
    monkeypatch.setattr(bulk, "DEARER", dearer)
    monkeypatch.setattr(bulk, "CELLS", 1000)
    dice = random.Random(4)
    bodies = [any_provider(dice, n).model_dump_json().encode() for n in range(90)]
    heard = {f"p{n}": (n % 3, 3) for n in range(0, 90, 2)}
    pool = gather(bodies, {f"p{n}": n % 2 for n in range(90)}, heard)
    asks = [asked(any_need(dice, n), (n % 2, n % 3)) for n in range(40)]
    unwanted = [{f"p{dice.randint(0, 120)}"} for _ in asks]
    found = {name: np.zeros((40, 90), np.float32) for name in ("total", "client", "confidence")}
    for chunk in bulk.scored(asks, pool, unwanted, 0.3):
        for name, matrix in found.items():
            matrix[chunk.rows, chunk.columns] = getattr(chunk, name)
    for row, ask in enumerate(asks):
        alone = score(ask, pool, unwanted[row])
        kept = ~alone.blocked & (alone.total >= 0.3)
        for name, matrix in found.items():
            expected = np.where(kept, getattr(alone, name), 0.0)
            assert matrix[row] == pytest.approx(expected, abs=2e-6), name
