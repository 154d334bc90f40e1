from collections import Counter

from services.agents.pull import AGAIN_S, Hopes, Turns
from shared.events.tasks import Priority

ALL = set(Priority)


def taken(turns: Turns, waiting: set[Priority], rounds: int) -> list[Priority]:
    found = []
    for _ in range(rounds):
        first = turns.order(waiting)[0]
        turns.took(first)
        found.append(first)
    return found


def test_all_waiting_share_by_weight_highest_first():
    order = taken(Turns(), ALL, 15)
    assert Counter(order) == {"urgent": 8, "high": 4, "normal": 2, "low": 1}
    assert order[0] == "urgent"


def test_low_alone_gets_everything():
    assert taken(Turns(), {Priority.LOW}, 5) == [Priority.LOW] * 5


def test_urgent_comes_first_however_long_low_was_alone():
    turns = Turns()
    taken(turns, {Priority.LOW}, 1000)
    assert turns.order({Priority.LOW, Priority.URGENT})[0] is Priority.URGENT


def test_low_never_starves_beside_urgent():
    order = taken(Turns(), {Priority.URGENT, Priority.LOW}, 90)
    assert order.count(Priority.LOW) == 10


def test_every_waiting_queue_is_in_the_order():
    assert set(Turns().order({Priority.HIGH, Priority.LOW})) == {Priority.HIGH, Priority.LOW}


def test_a_step_that_was_told_of_is_looked_for_soon_and_then_left_to_others():
    hopes = Hopes()
    assert hopes.pause(Priority.HIGH) is None
    hopes.told(Priority.HIGH)
    assert [hopes.pause(Priority.HIGH) for _ in (*AGAIN_S, 1)] == [*AGAIN_S, None]
    hopes.told(Priority.HIGH)
    hopes.took(Priority.HIGH)
    assert hopes.pause(Priority.HIGH) is None
