import random
import sqlite3

import numpy as np
import pytest

from services.match import market, pool, store
from services.match.asked import asked
from services.match.scoring import best, score
from tests.match.conftest import need, provider, usd


@pytest.fixture
def db():
    opened = sqlite3.connect(":memory:", isolation_level=None)
    store.prepare(opened)
    yield opened
    opened.close()


def put(db, seq, profile):
    body = profile.model_dump_json().encode()
    db.execute("INSERT OR REPLACE INTO profile VALUES (?, ?, ?)", (profile.party_id, seq, body))
    at(db, seq)


def at(db, seq):
    db.execute("INSERT OR REPLACE INTO position VALUES ('MATCH', ?)", (seq,))


def say(db, seq, party, yes, side="client"):
    db.execute("INSERT INTO outcome VALUES (?, 0, 'n', 'acme', ?, ?, ?)", (seq, party, side, yes))
    at(db, seq)


def engage(db, seq, party):
    row = (f"d{seq}", seq, "n", "acme", party, "active", "USD", 1, "0.2", None, "", "", "", None)
    db.execute(f"INSERT INTO deal VALUES ({', '.join('?' * len(row))})", row)
    at(db, seq)


def ranking(found: market.Market):
    """Return who comes in which order with which numbers, whatever the rows are."""
    ask = asked(need("n1", nice=("go", "sql"), text="a ledger"), found.heard.get("acme", (0, 0)))
    scores = score(ask, found.pool)
    rows = best(scores, found.pool, 1000, blocked=True)
    return [
        (found.pool.ids[row], float(scores.total[row]), float(scores.confidence[row]))
        for row in rows
    ]


def any_provider(dice, number):
    return provider(
        f"p{number}",
        skills=tuple({"name": name} for name in dice.sample(["python", "go", "sql", "php"], 2)),
        rate=usd(dice.randint(3000, 12_000)),
        bio=" ".join(dice.sample(["ledger", "shop", "bank", "garden", "api"], 3)),
        timezone=dice.choice([None, "Europe/Berlin"]),
    )


def test_a_market_brought_up_to_date_is_the_one_read_anew(db, monkeypatch):
    monkeypatch.setattr(pool, "LEAST_OUT", 5)
    dice = random.Random(3)
    followed = market.Market()
    for seq in range(1, 200):
        party = f"p{dice.randint(0, 30)}"
        act = dice.choice([put, put, put, say, engage])
        if act is put:
            put(db, seq, any_provider(dice, party[1:]))
        elif act is say:
            say(db, seq, party, dice.random() < 0.5, dice.choice(["client", "provider"]))
        else:
            engage(db, seq, party)
        if seq % 3 == 0:
            assert followed.follow(db)
    followed.follow(db)
    assert ranking(followed) == ranking(market.read(db))
    assert len(followed.pool) - followed.pool.live <= max(5, len(followed.pool) // 8)


def test_one_changed_profile_is_one_new_row(db):
    for seq in range(1, 50):
        put(db, seq, provider(f"p{seq}"))
    found = market.read(db)
    put(db, 50, provider("p7", capacity=7))
    found.follow(db)
    assert (len(found.pool), found.pool.live) == (50, 49)
    assert found.pool.columns["capacity"][found.pool.rows["p7"]] == 7


def test_profiles_come_in_pieces(db):
    for seq in range(1, 8):
        put(db, seq, provider(f"p{seq}"))
    found = market.Market()
    assert [found.follow(db, 3) for _ in range(3)] == [False, False, True]
    assert ranking(found) == ranking(market.read(db))


def test_what_was_said_before_a_profile_came_counts(db):
    say(db, 1, "ana", True)
    say(db, 2, "ana", False)
    say(db, 3, "who-left", True)
    found = market.read(db)
    put(db, 4, provider("ana"))
    found.follow(db)
    columns = found.pool.columns
    assert np.array_equal([columns[name][0] for name in ("yes", "asked", "load")], [1, 2, 0])
