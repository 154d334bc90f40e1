import sqlite3

import numpy as np
import pytest

from services.match import market, store
from tests.match.conftest import provider


@pytest.fixture
def db():
    opened = sqlite3.connect(":memory:", isolation_level=None)
    store.prepare(opened)
    yield opened
    opened.close()


def put(db, seq, profile):
    body = profile.model_dump_json().encode()
    db.execute("INSERT OR REPLACE INTO profile VALUES (?, ?, ?)", (profile.party_id, seq, body))


def say(db, seq, party, yes):
    db.execute("INSERT INTO outcome VALUES (?, 'n', 'acme', ?, 'client', ?)", (seq, party, yes))


def same(one, other) -> bool:
    return one.ids == other.ids and all(
        np.array_equal(one.columns[name], other.columns[name], equal_nan=True)
        for name in one.columns
    )


def test_a_market_brought_up_to_date_is_the_one_read_anew(db):
    for seq, party in enumerate(("bob", "ana", "eve")):
        put(db, seq, provider(party))
    first = market.read(db)
    say(db, 1, "ana", True)
    say(db, 2, "ana", False)
    say(db, 3, "who-left", True)
    later = market.read(db, first)
    assert same(later.pool, market.read(db).pool)
    assert later.pool.text is first.pool.text


def test_a_changed_profile_is_read_again(db):
    put(db, 1, provider("ana"))
    first = market.read(db)
    put(db, 2, provider("ana", capacity=7))
    assert market.read(db, first).pool.columns["capacity"].tolist() == [7]
