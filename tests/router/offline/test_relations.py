import pytest

from services.router.offline.dates import due, in_one_calendar
from services.router.offline.items import Item
from services.router.offline.relations import MOST_CLAUSES, find_relations
from services.router.offline.sequence import in_order, sequence


def items(*titles):
    return [Item(title) for title in titles]


def ordered(*titles):
    return [item.title for item in in_order(items(*titles))]


@pytest.mark.parametrize(
    ("later", "sooner"),
    [
        ("Switch the DNS; only after the test order has worked", "Test order from a telephone"),
        ("Move the database", "Test a restore from the backup before the move"),
        ("Tell customers, once the refund is agreed", "Agree on the refund with finance"),
        ("Write a test; needs the anonymised copy", "Make an anonymised copy"),
        ("Go live (depends on the load test)", "Load test"),
        ("Open the shop, stock count first", "Stock count of the store"),
        ("Not before the load test: go live", "Load test"),
        ("Umzug der Server erst nach der Datensicherung", "Datensicherung prüfen"),
        ("Umzug der Server", "Mietvertrag unterschreiben vor dem Umzug der Server"),
    ],
)
def test_an_item_comes_after_what_the_text_names_before_it(later, sooner):
    assert ordered(later, sooner, "Order cards") == [sooner, later, "Order cards"]


@pytest.mark.parametrize(
    "title",
    [
        "Report once a week",
        "Call after lunch",
        "Needs 2 people",
        "Sign before 5 December",
        "Buy chairs after it",
        "Ship after the inspection of the south wing",
        "Travel nach Berlin",
    ],
)
def test_what_names_no_other_item_clearly_orders_nothing(title):
    others = items(
        "Weekly review", "Prepare lunch menu", "December party", "Test wing", "Second task"
    )
    assert find_relations([Item(title), *others]) == []


def test_two_items_that_are_alike_are_not_guessed_between():
    assert find_relations(items("Go, after the move", "Move the shop", "Move the archive")) == []


def test_what_an_urgent_item_waits_for_is_as_urgent():
    given = [
        Item("Ship beta after the crash is fixed", "high", 1.0),
        Item("Write news", "medium", 2.0),
        Item("Fix the crash", "low", 3.0),
    ]
    assert [item.title[:5] for item in in_order(given)] == ["Fix t", "Ship ", "Write"]


def test_cells_name_items_by_their_id():
    given = [
        Item("Go live", details=((0, "id: T1"), (0, "depends_on: T2, T3"))),
        Item("Paint", details=((0, "id: T2"), (0, "depends_on: T3"))),
        Item("Build", details=((0, "id: T3"),)),
    ]
    assert [item.title for item in in_order(given)] == ["Build", "Paint", "Go live"]


def test_a_sentence_beside_the_list_counts_when_it_names_both():
    found = sequence(items("Go live", "Load test"), ["We go live only after the load test."])
    assert [item.title for item in found.items] == ["Load test", "Go live"]


def test_of_words_that_go_in_a_circle_the_last_are_not_followed():
    found = sequence(items("Build after paint", "Paint after build"))
    assert [item.title for item in found.items] == ["Paint after build", "Build after paint"]
    assert [relation.words for relation in found.broken] == ["after build"]


def test_first_and_finally_are_obeyed_among_equals():
    assert ordered("Finally, sweep", "Cook", "First, shop") == [
        "First, shop",
        "Cook",
        "Finally, sweep",
    ]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("send before 5 December", (0, 12, 5)),
        ("kündigen bis 5. Dezember", (0, 12, 5)),
        ("bis zum 28.11.", (0, 11, 28)),
        ("by 2025-12-01", (2025, 12, 1)),
        ("until December 5th, 2025", (2025, 12, 5)),
        ("sign before July", (0, 7, 0)),
        ("spätestens am 3.1.2026", (2026, 1, 3)),
    ],
)
def test_days_are_read_in_many_forms(text, day):
    assert due(text, ())[0] == day


@pytest.mark.parametrize(
    "text", ["broken since 3 March", "not before 5 December", "version 1.2.3", "by 45 December"]
)
def test_what_is_no_day_to_be_ready_by_is_none(text):
    assert due(text, ()) is None


def test_days_order_what_is_equal_else_and_january_follows_december():
    assert ordered("a", "b by 10 January", "c by 5 December") == [
        "c by 5 December",
        "b by 10 January",
        "a",
    ]
    assert in_one_calendar([(0, 3, 1), (2025, 2, 1)]) == [(2025, 3, 1), (2025, 2, 1)]


def test_urgency_and_days_reach_through_a_chain():
    given = [
        Item("Alpha"),
        Item("Beta, then rest"),
        Item("Go live by 2025-12-01, after gamma"),
        Item("Gamma after delta"),
        Item("Delta"),
    ]
    titles = [item.title.split()[0] for item in in_order(given)]
    assert titles == ["Delta", "Gamma", "Go", "Alpha", "Beta,"]


def test_a_list_that_names_endlessly_is_read_to_a_bound():
    details = tuple((0, "after step 1, before step 2, " * 15) for _ in range(40))
    given = [Item(f"Thing {n}", number=n, details=details) for n in range(200)]
    assert len(find_relations(given)) < 2 * MOST_CLAUSES
    assert len(in_order(given)) == 200
