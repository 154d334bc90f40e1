import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.router.offline.headings import plain
from services.router.offline.labels import is_priority_heading, item_label, own_state, take_number
from services.router.offline.outline import MOST_LINES, below, outline
from services.router.offline.sentences import sentences


def shape(text):
    root = outline(text)
    return [(s.title, [p.text for p in s.pieces]) for s in root.walk() if s.level or s.pieces]


def test_sections_nest_by_level_and_know_their_path():
    root = outline("# A\n## B\ntext\n# C\n")
    assert [s.path for s in root.walk()] == [(), ("A",), ("A", "B"), ("C",)]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Title\n=====\n- a\n", "Title"),
        ("Part\n----\n- a\n", "Part"),
        ("OPEN POINTS\n- a\n", "OPEN POINTS"),
        ("Open points:\n- a\n", "Open points"),
        ("**Open points:**\n\n- a\n", "Open points"),
        ("Open points\n1. a\n", "Open points"),
        ("## **Open** `points` ##\n- a\n", "Open points"),
    ],
)
def test_headings_of_all_kinds_are_seen(text, title):
    assert shape(text) == [(title, ["a"])]


def test_items_hang_below_items_and_numbered_bold_lines():
    root = outline("**1. Ship**\n- a\n  - b\n- c\n\n**2. Test**\n* d\n")
    assert [[p.text for p in below(piece)] for piece in root.pieces] == [
        ["Ship", "a", "b", "c"],
        ["Test", "d"],
    ]
    assert [piece.number for piece in root.pieces] == [1, 2]


def test_wrapped_lines_are_one_sentence_and_short_ones_are_not():
    long = "This line is long enough to have been wrapped by somebody's editor at"
    assert shape(f"{long}\nthe margin.\n") == [("", [f"{long} the margin."])]
    assert shape("call Bob\nFix it\n") == [("", ["call Bob", "Fix it"])]


def test_a_paragraph_after_the_list_of_a_label_leaves_it():
    assert shape("# A\nOpen:\n- x\n\nBudget is fine.\n") == [
        ("A", ["Budget is fine."]),
        ("Open", ["x"]),
    ]


def test_prose_with_commas_is_no_table():
    text = (
        "We saw apples, pears and plums, which were fine, and went home, slowly, all of us.\n" * 3
    )
    assert {piece.kind for _, piece in outline(text).all_pieces()} == {"text"}


def test_a_list_as_deep_as_the_text_wants_does_not_end_the_reading():
    text = "\n".join(f"{' ' * depth}- {depth}" for depth in range(3000))
    assert sum(1 for _ in outline(text).all_pieces()) == 3000


def test_an_endless_text_is_read_up_to_its_limit():
    assert sum(1 for _ in outline("- a\n" * (MOST_LINES + 9)).all_pieces()) == MOST_LINES


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="#-*1.)[]x |,;:a\n`~=> \té", max_size=300))
def test_any_text_has_a_shape_and_no_word_is_made_up(text):
    for _, piece in outline(text).all_pieces():
        for word in piece.text.split():
            assert word in text


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("pay rent (done)", "done"),
        ("~~old~~", "done"),
        ("\u2705 ready", "done"),
        ("DONE: pay", "done"),
        ("erledigt: x", "done"),
        ("\u201a\u00fa\u00d6 mangled tick", "done"),
        ("TODO: pay", "open"),
        ("pay rent (pending)", "open"),
        ("\u23f3 soon", "open"),
        ("\u201a\u00e8\u2265 mangled glass", "open"),
        ("open the door", ""),
        ("get it done", ""),
        ("done deal with it", ""),
    ],
)
def test_an_item_says_itself_whether_it_is_open(text, state):
    assert own_state(text) == state


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("[P1] fix", "[P1]"),
        ("fix (high)", "(high)"),
        ("fix, priority: low", "priority: low"),
        ("P0: fire", "P0"),
        ("Urgent: fire", "Urgent"),
        ("fix (later today)", ""),
        ("the high road", ""),
        ("call (Bob)", ""),
    ],
)
def test_an_item_says_its_priority_itself(text, label):
    assert item_label(text) == label


def test_headings_that_only_rank_are_told_from_others():
    assert all(map(is_priority_heading, ["High Priority", "P1", "Must have", "Hoch", "low"]))
    assert not any(map(is_priority_heading, ["High availability", "Open", "Priority", "Team"]))


def test_numbers_are_taken_from_titles():
    assert take_number("Priority 2: Ship") == (2, "Ship", "Priority 2")
    assert take_number("3. Test") == (3, "Test", "")
    assert take_number("2025 plan") == (None, "2025 plan", "")


def test_headings_lose_what_is_left_of_an_emoji_and_keep_their_letters():
    assert plain("\uf8ff\u00fc\u00f6\u00df Pending Items") == "Pending Items"
    assert plain("Übersicht") == "Übersicht"


def test_sentences_end_where_people_end_them():
    text = "It costs 3.5 EUR, e.g. for tea. Good! See no. 5 below? Yes."
    assert sentences(text) == [
        "It costs 3.5 EUR, e.g. for tea.",
        "Good!",
        "See no. 5 below?",
        "Yes.",
    ]
