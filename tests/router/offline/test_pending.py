import pytest

from services.router.offline import answer
from services.router.offline.markup import Source
from services.router.offline.pending import find_open
from tests.router.offline.asking import ask
from tests.router.offline.samples import (
    CSV,
    GERMAN,
    MANGLED,
    MEETING,
    PROSE,
    REPORT,
    TABLE,
    TODO,
)


def titles(text, name="text"):
    return [item.title for item in find_open([Source("document", name, text)]).items]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (REPORT, ["Hire a second baker", "Repair the cooling room", "Print new menus"]),
        (
            MEETING,
            [
                "Anna: send the offer by Friday (high)",
                "Bob: fix the login, blocked by the missing API key",
                "Who pays for the venue?",
            ],
        ),
        (TODO, ["call the landlord", "P1: renew passport", "fix bike"]),
        (TABLE, ["Add alert", "Review the rest"]),
        (CSV, ["Ship beta", "Fix crash; at start"]),
        (GERMAN, ["Schnittstelle testen", "Handbuch drucken"]),
        (MANGLED, ["Community"]),
    ],
)
def test_open_items_are_found_in_texts_of_many_kinds(text, expected):
    assert titles(text) == expected


def test_items_carry_the_label_that_they_stand_under_and_their_points():
    first = find_open([Source("document", "r", REPORT)]).items[0]
    assert (first.label, first.rank, first.number) == ("High priority", 1.0, 1)
    assert first.path == ("Report on the bakery", "Open points", "High priority")
    assert first.details == (
        (0, "Interviews start on Monday"),
        (0, "**Budget:** 2,400 EUR a month"),
    )


def test_headings_can_be_the_items():
    text = "# Backlog\n## Priority 2: Ship\nSoon.\n## Priority 1: Test\n- a\n## Old\n- [x] b\n"
    assert titles(text)[:2] == ["Ship", "Test"]


def test_what_is_named_as_next_comes_apart():
    found = find_open([Source("document", "x", "# Open\n- a\n# Next steps\n- b\n- c\n")])
    assert [item.title for item in found.items] == ["a"]
    assert [item.title for item in found.following] == ["b", "c"]


def test_without_lists_the_sentences_that_tell_of_open_work_are_found():
    found = find_open([Source("document", "p", PROSE)])
    assert [item.title for item in found.sentences] == [
        "We still need to move the archive.",
        "Marta has to sign the contract before July.",
    ]


def test_a_ticked_item_and_a_done_section_are_not_open():
    assert titles("# To do\n- [x] a\n- ~~b~~\n- [ ] c\n# Completed to-dos\n- d\n") == ["c"]


def test_only_open_points_below_a_done_heading_are_open():
    assert titles("# Done\n- a\n- [ ] b\n") == ["b"]


def test_the_same_item_in_two_texts_is_one():
    sources = [Source("document", name, "# Todo\n- Ship it\n") for name in "ab"]
    assert len(find_open(sources).items) == 1


def test_an_open_source_heading_is_no_open_work():
    assert titles("# Open source components\n- nginx\n# Opening hours\n- 9 to 5\n") == []


def test_a_question_about_one_person_gets_that_persons_items():
    given = ask("List what is open", task="Which action items does Bob have?", documents=[MEETING])
    content = answer(given).content
    assert "fix the login" in content
    assert "Anna" not in content
    other = ask("List what is open", task="What does Zoe have to do?", documents=[MEETING])
    assert "Anna" in answer(other).content
