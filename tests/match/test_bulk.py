"""Many needs at once give the very numbers that each need gives alone."""

import random

import numpy as np
import pytest

from services.match import bulk, factors
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


def any_provider(dice, number, texts=5):
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
        bio="\n\n".join(" ".join(dice.choices(WORDS, k=9)) for _ in range(dice.randint(0, texts))),
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


def market(seed, texts=5):
    """Return a pool of 90, 40 needs made ready, and whom each will not have."""
    dice = random.Random(seed)
    bodies = [any_provider(dice, n, texts).model_dump_json().encode() for n in range(90)]
    heard = {f"p{n}": (n % 3, 3) for n in range(0, 90, 2)}
    pool = gather(bodies, {f"p{n}": n % 2 for n in range(90)}, heard)
    asks = [asked(any_need(dice, n), (n % 2, n % 3)) for n in range(40)]
    return asks, pool, [{f"p{dice.randint(0, 120)}"} for _ in asks]


def laid_out(blocks):
    found = {name: np.zeros((40, 90), np.float32) for name in ("total", "client", "confidence")}
    for block in blocks:
        there = block.total() > 0
        cells = np.ix_(block.rows, block.columns)
        found["total"][cells] = block.total()
        found["client"][cells] = block.client
        found["confidence"][cells] = block.confidence / np.float32(bulk.SURE) * there
    return found


@pytest.mark.parametrize("common", [0, 1 / 50, 2])
@pytest.mark.parametrize("texts", [2, 5])
def test_numbers_and_limits_are_those_of_one_need_alone(monkeypatch, common, texts):
    monkeypatch.setattr(factors, "COMMON", common)
    monkeypatch.setattr(bulk, "WIDE", 1500)
    monkeypatch.setattr(bulk, "TILE", 400)
    asks, pool, unwanted = market(4, texts)
    found = laid_out(bulk.scored(asks, pool, unwanted, 0.3))
    for row, ask in enumerate(asks):
        alone = score(ask, pool, unwanted[row])
        kept = ~alone.blocked & (alone.total >= 0.3)
        for name, matrix in found.items():
            expected = np.where(kept, getattr(alone, name), 0.0)
            near = 2e-5 if name == "confidence" else 2e-6
            assert matrix[row] == pytest.approx(expected, abs=near), name


def test_the_parts_of_a_block_are_the_block(monkeypatch):
    asks, pool, unwanted = market(5)
    whole = list(bulk.scored(asks, pool, unwanted, 0.0))
    monkeypatch.setattr(bulk, "TILE", 200)
    parts = [part for block in whole for part in block.parts()]
    assert len(parts) > len(whole)
    one, other = laid_out(whole), laid_out(parts)
    assert all((one[name] == other[name]).all() for name in one)


def test_the_same_market_gives_the_same_bytes():
    asks, pool, unwanted = market(6)
    one, other = (laid_out(bulk.scored(asks, pool, unwanted, 0.0)) for _ in range(2))
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)
