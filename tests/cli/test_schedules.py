import json

import pytest

from cli.schedules import pattern
from shared.errors import InvalidInput
from shared.events import ScheduledTask, TaskRequest
from shared.reading import read_subject
from tests.cli import crew


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("30m", "@every 1800s"), ("1.5s", "@every 1.5s"), ("@daily", "@daily"),
        ("0 9 * * 1-5", "0 0 9 * * 1-5"), ("30 0 9 * * 1", "30 0 9 * * 1"),
    ],
)  # fmt: skip
def test_a_repetition_is_a_span_or_cron_with_or_without_seconds(every, expected):
    assert pattern(None, None, every) == expected


def test_a_time_is_an_instant_or_a_span_from_now():
    assert pattern("2999-01-31T18:00:00+00:00", None, None) == "@at 2999-01-31T18:00:00Z"
    assert pattern(None, "30m", None).startswith("@at 20")
    assert pattern(None, None, None) is None


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (("2999-01-01", "30m", None), "--at"), (("2001-01-01", None, None), "--at"),
        ((None, "2999-01-01", None), "--in"), ((None, None, "0.2s"), "--every"),
        ((None, None, "often"), "--every"),
    ],
)  # fmt: skip
def test_nonsense_names_its_option(given, field):
    with pytest.raises(InvalidInput) as error:
        pattern(*given)
    assert error.value.field == field


async def test_a_schedule_is_left_listed_shown_and_taken_back(cli, bus):
    left = await cli("task", "submit", "Read it", "--every", "1d", "--id", "nightly", "-p", "low")
    [stored] = await read_subject(bus, "SCHEDULES", "task.schedule.*")
    kept = ScheduledTask.model_validate_json(stored.data)
    assert (left.stdout.strip(), kept.when, kept.request.priority) == (
        "nightly", "@every 86400s", "low",
    )  # fmt: skip
    listed = await cli("task", "schedules", "--json")
    assert [one["schedule_id"] for one in json.loads(listed.stdout)] == ["nightly"]
    assert "scheduled every 86400s" in (await cli("task", "show", "nightly")).stdout
    assert (await cli("task", "unschedule", "nightly")).exit_code == 0
    assert (await cli("task", "schedules", "--json")).stdout.strip() == "[]"
    gone = await cli("task", "unschedule", "nightly")
    assert (gone.exit_code, "no schedule nightly" in gone.stderr) == (1, True)


async def test_an_id_that_is_taken_and_a_cron_that_the_server_refuses_are_told(cli, bus):
    await cli("task", "submit", "Read it", "--in", "1d", "--id", "one")
    again = await cli("task", "submit", "Read it", "--in", "2d", "--id", "one")
    assert (again.exit_code, "there is a schedule one" in again.stderr) == (1, True)
    wrong = await cli("task", "submit", "Read it", "--every", "99 99 * * *")
    assert (wrong.exit_code, "0 99 99 * * *" in wrong.stderr) == (2, True)
    wait = await cli("task", "submit", "Read it", "--in", "1d", "--wait")
    assert (wait.exit_code, "--wait does not go" in wait.stderr) == (2, True)


async def test_a_task_that_no_manager_has_taken_is_queued(cli, bus):
    await bus.publish("task.request.low", TaskRequest(title="Read it", task_id="mine"), "mine")
    shown = await cli("task", "show", "mine", "--json")
    assert json.loads(shown.stdout)["task"]["state"] == "queued"


async def test_a_result_of_before_the_retry_is_history(cli, bus):
    view = crew.view("mine").model_copy(update={"run": 2})
    await crew.put(bus, view)
    await crew.finish(bus, crew.result("mine"))
    shown = json.loads((await cli("task", "show", "mine", "--json")).stdout)
    assert (shown["result"], shown["earlier"]["run"]) == (None, 1)
