import pytest

from services.dashboard.pages.record import journal_card
from services.dashboard.pages.replayed import Replayed, replay_card
from shared import events as e
from shared.clock import now
from tests.dashboard.conftest import answering
from tests.dashboard.test_crew import view

LINE = e.ReplayLine(
    seq=7, at=now(), seconds=1.5, kind="step_started", step_id="s1", text="<script>",
    state=e.TaskState.RUNNING, decided=("ask the builder",),
)  # fmt: skip


def told(*results):
    return e.TaskReplay(task_id="t1", title="a", view=view("t1"), lines=(LINE,), results=results)


def test_the_story_of_a_task_is_text():
    shown = replay_card(told())
    for part in ("step started", "s1: &lt;script&gt;", "ask the builder", "Not ended"):
        assert part in shown


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"stored": True, "same": True}, "byte for byte"),
        ({"stored": True, "differs": ("answer",)}, "differs in answer"),
        ({"stored": False}, "no longer kept"),
    ],
)
def test_whether_the_result_follows_is_said_in_words(more, words):
    result = e.ReplayedResult(run=1, state=e.TaskState.DONE, **more)
    assert words in replay_card(told(result))


async def test_the_crew_tells_a_task_again(parts):
    again = Replayed(parts, "t1")
    assert replay_card(again.told) == ""
    async with answering(parts.bus, {"agent.replay": (e.ReplayAsk, told())}):
        await again.tell()
    assert "ask the builder" in replay_card(again.told)


def test_an_empty_journal_cannot_be_told_again():
    assert "data-act" not in journal_card([], "t1")
