"""Sums of runs come to the same whatever order they come in."""

import random
from decimal import Decimal

from services.router.budgets.estimate import NOTHING, Amount
from services.router.budgets.peers import GONE_S, Peers
from services.router.budgets.tally import Tally, Told, fits
from shared.setting_groups.router import SpendingLimit


def amount(tokens: int) -> Amount:
    return Amount(Decimal(tokens) / 1000, tokens)


def tally(tokens: int = 1000, live=lambda _run, _heard: True) -> Tally:
    return Tally(SpendingLimit(tokens=tokens), "own", "here", live)


def told(number: int, spent: int, reserved: int = 0, host: str = "there") -> Told:
    return Told(number, amount(spent), amount(reserved), host, 0.0, amount(spent))


def test_words_of_runs_may_come_late_twice_and_in_any_order():
    chance = random.Random(7)
    words = [(run, told(n, n * 10, n % 3)) for run in ("a", "b", "c") for n in range(1, 6)]
    words += [("a", Told(spent=amount(77), host="here"))]
    for _ in range(50):
        kept = tally()
        for run, word in chance.sample(words, len(words)) + chance.choices(words, k=9):
            kept.hear(run, word)
        assert kept.held == amount(77 + 50 + 50 + 2 + 2 + 2)


def test_a_run_is_counted_once_from_the_record_or_from_its_own_word():
    kept = tally()
    kept.found("sibling", amount(40))
    kept.hear("sibling", told(3, 30, 5, "here"))
    assert (kept.held, kept.elsewhere) == (amount(45), NOTHING)
    assert kept.others["sibling"].is_news
    kept.hear("sibling", told(4, 60))
    assert kept.held == amount(60)
    assert not kept.others["sibling"].is_news


def test_who_is_gone_holds_nothing_any_more_but_has_spent():
    alive = {"far"}
    kept = tally(live=lambda run, _: run in alive)
    kept.hear("far", told(1, 30, 50))
    assert kept.held == amount(80)
    alive.clear()
    assert (kept.held, kept.elsewhere) == (amount(30), amount(30))


def test_what_costs_no_money_is_not_held_up_by_a_limit_of_money_that_is_not_reached():
    limit = SpendingLimit(usd=Decimal("0.1"))
    free = Amount(Decimal(0), 500)
    assert fits(limit, Amount(Decimal("0.0999")), free)
    assert not fits(limit, Amount(Decimal("0.1")), free)


def test_routers_are_known_by_their_beats_until_they_go():
    time = [100.0]
    peers = Peers("own", lambda: time[0])
    assert (peers.count, peers.possible) == (1, 2)
    time[0] += GONE_S
    assert peers.possible == 1
    for run in ("own", "a", "b", ""):
        peers.seen(run)
    assert (peers.count, peers.live("a", 0.0), peers.live("c", 0.0)) == (3, True, False)
    peers.seen("a", leaving=True)
    assert (peers.count, peers.live("a", time[0])) == (2, False)
    time[0] += GONE_S
    assert (peers.count, peers.live("b", 0.0), peers.live("c", time[0] - 1)) == (1, False, True)


async def test_beats_that_make_no_sense_are_no_sign_of_life():
    peers = Peers("own")
    for data in (b"", b"{}", b'{"service": "router"}'):
        await peers.hear(type("Message", (), {"data": data})())
    assert peers.count == 1
