from datetime import UTC, datetime, timedelta

import pytest

from cli.requests import budget, build, instant
from shared.clock import now
from shared.errors import InvalidInput


def test_an_id_is_made_when_none_is_given():
    assert build({"title": "x", "task_id": None}).task_id != build({"title": "x"}).task_id


def test_what_was_not_given_keeps_its_default():
    task = build({"title": "x", "agent": None, "description": ""})
    assert (task.agent, task.description, task.approval) == (None, "", False)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("1.5h", 5400), ("2d", 172_800)])
def test_a_span_counts_from_now(text, seconds):
    left = instant(text, "--deadline") - now()
    assert timedelta(seconds=seconds - 5) < left <= timedelta(seconds=seconds)


def test_an_instant_with_a_zone_is_taken_as_it_is():
    assert instant("2030-01-31T18:00:00+00:00", "x") == datetime(2030, 1, 31, 18, tzinfo=UTC)


def test_no_text_is_no_instant():
    assert instant(None, "x") is None


def test_an_instant_without_a_zone_is_local():
    assert instant("2030-01-31", "x").tzinfo is not None


@pytest.mark.parametrize("text", ["soon", "", "30", "5x", "-3m"])
def test_nonsense_names_the_option(text):
    with pytest.raises(InvalidInput, match="--deadline"):
        instant(text, "--deadline")


def test_a_budget_is_read_limit_by_limit():
    limits = budget(["tokens=2000", "usd=0.50"])
    task = build({"title": "x", "budget": limits})
    assert (task.budget.tokens, str(task.budget.usd), task.budget.steps) == (2000, "0.50", None)
    assert budget(None) is None


@pytest.mark.parametrize("limit", ["tokens", "euros=3", "=3"])
def test_a_limit_that_there_is_not_names_those_that_there_are(limit):
    with pytest.raises(InvalidInput, match="tokens, usd, seconds, steps"):
        budget([limit])
