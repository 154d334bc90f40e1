import json
from decimal import Decimal

import pytest
from pydantic import BaseModel

from cli.output import cell, clean, clean_block, cut, json_text, readable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\x1b[31mred"),
        ("bell\x07 and \x9b31m", "bell\\x07 and \\x9b31m"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("left \u202eright", "left \\u202eright"),
        ("Grüße, 世界 🙂", "Grüße, 世界 🙂"),
    ],
)
def test_what_steers_a_terminal_is_shown_in_a_line(text, shown):
    assert clean(text) == shown


def test_a_block_keeps_its_lines_and_nothing_else():
    assert (
        clean_block("one\r\n\ttwo\rthree\x1b]0;title\x07") == "one\n\ttwo\\rthree\\x1b]0;title\\x07"
    )


def test_cut_leaves_room_for_its_mark():
    assert (cut("abcdef", 4), cut("abcd", 4)) == ("abc…", "abcd")


def test_json_means_the_same_and_cannot_steer():
    document = {"text": "\x1b[2J \x9b \u202e ü"}
    text = json_text(document)
    assert json.loads(text) == document
    assert clean(text) == text


def test_a_cell_never_reads_its_text_as_markup():
    assert cell("[bold]x[/bold]").plain == "[bold]x[/bold]"
    assert (cell(None).plain, cell("done").style) == ("-", "green")


class Bill(BaseModel):
    """Something with numbers that Python shortens."""

    saved: Decimal
    title: str
    parts: tuple[dict[str, Decimal], ...] = ()


def test_json_writes_numbers_out_and_leaves_texts_alone():
    bill = Bill(saved=Decimal("0E-7"), title='a "1E5" 2e-5', parts=({"x": Decimal("1E+2")},))
    text = json_text({"bill": bill, "small": 9.5e-05})
    assert (json.loads(text)["bill"]["title"], "1e" in text) == (bill.title, False)
    assert '"saved": "0.0000000"' in text
    assert '"x": "100"' in text
    assert '"small": 0.000095' in text


def test_strong_words_stay_as_they_are_where_no_terminal_is():
    assert readable("## Head\n**x**") == "## Head\n**x**"


def test_strong_words_and_headings_are_bold_on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert readable("## Head\n1. **x**: 2 ** 3") == (
        "\x1b[1mHead\x1b[0m\n1. \x1b[1mx\x1b[0m: 2 ** 3"
    )
