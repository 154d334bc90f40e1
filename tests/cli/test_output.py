import json

import pytest

from cli.output import cell, clean, clean_block, cut, json_text


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
