import json

from shared.clock import now
from shared.events import PlanStep, TemplateInfo, TemplateList
from shared.events.replay import ReplayedResult, ReplayLine, TaskReplay
from tests.cli import crew
from tests.cli.conftest import answer


def story(**result):
    line = ReplayLine(
        seq=7, at=now(), seconds=0.25, kind="step_started", step_id="s1", state="running",
        text="attempt 1 by agents-1", decided=("hand s2 to builder",),
    )  # fmt: skip
    told = (ReplayedResult(run=1, state="done", stored=True, **result),)
    return TaskReplay(task_id="t", title="x", view=crew.view("t"), lines=(line,), results=told)


async def test_the_story_is_a_table_and_a_verdict(cli, bus):
    asked = await answer(bus, "agent.replay", story(same=True))
    done = await cli("task", "replay", "t", "--until", "7")
    assert (done.exit_code, asked[0]["until"]) == (0, 7)
    assert "step_started" in done.stdout
    assert "hand s2 to builder" in done.stdout
    assert "byte for byte" in done.stderr


async def test_a_result_that_does_not_follow_fails_and_names_its_fields(cli, bus):
    await answer(bus, "agent.replay", story(differs=("answer",)))
    done = await cli("task", "replay", "t")
    assert (done.exit_code, "DIFFERS in answer" in done.stderr) == (1, True)


async def test_the_story_as_json_is_one_document(cli, bus):
    await answer(bus, "agent.replay", story(same=True))
    done = await cli("task", "replay", "t", "--json")
    assert json.loads(done.stdout)["lines"][0]["seq"] == 7


async def test_the_named_plans_are_listed(cli, bus):
    step = PlanStep(id="facts", agent="analyzer", title="Facts", instruction="x")
    one = TemplateInfo(name="compare", description="Choose one.", steps=(step,))
    await answer(bus, "agent.templates", TemplateList(templates=(one,)))
    listed = await cli("task", "templates")
    assert (listed.exit_code, "compare" in listed.stdout, "facts" in listed.stdout) == (0, 1, 1)
