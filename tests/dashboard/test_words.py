from datetime import timedelta
from decimal import Decimal

import pytest

from services.dashboard.pages import words
from shared.clock import now


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.34, "340 ms"),
        (2.44, "2.4 s"),
        (59, "59 s"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (356_400, "4 d 3 h"),
        (120, "2 min"),
    ],
)
def test_durations(seconds, text):
    assert words.duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(1, "now"), (12, "12 s ago"), (7300, "2 h ago")])
def test_ages(seconds, text):
    assert words.ago(seconds) == text


def test_an_instant_ahead_of_us_is_not_negative():
    assert words.since(now() + timedelta(minutes=1), now()) == 0.0


def test_terminal_codes_and_hidden_characters_are_taken_out():
    text = "\x1b[31mred\x1b[0m \x1b]0;title\x07\u202eevil\x00"
    assert words.clean(text) == "red evil"


def test_long_titles_are_cut_in_one_line():
    assert words.cut("a\nb " * 100, 8) == "a b a b…"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "–"),
        (Decimal("8.85"), "$8.85"),
        (Decimal("0.0021"), "$0.0021"),
        (Decimal(0), "$0.00"),
    ],
)
def test_dollars(amount, text):
    assert words.dollars(amount) == text


def test_minor_units_are_exact():
    assert words.money(123_456_789, "USD") == "1,234,567.89 USD"
