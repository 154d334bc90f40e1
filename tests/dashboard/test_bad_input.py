"""Whatever the bus holds is shown as text, cut with a way to the whole, or refused."""

import pytest
from nicegui.testing import user_simulation

from services.dashboard.handlers import hearing
from services.dashboard.pages import happenings, overview, record, steps, task
from services.dashboard.pages.markdown import SHOWN, prose
from services.dashboard.pages.tasklist import task_table
from services.dashboard.store import Store
from shared import events as e
from tests.dashboard.conftest import beat
from tests.dashboard.test_crew import view

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>\x1b]0;owned\x07\x1b[2J\u202e"


def harmless(html) -> bool:
    return not any(bad in html for bad in ("<img", "<script", "\x1b", "\x07", "\u202e"))


def test_every_place_of_a_hostile_title_is_text(store):
    one = view("t1", title=HOSTILE)
    store.fold(one)
    assert harmless(task_table(store, [one]))
    assert harmless(overview.latest_tasks(store))


def test_hostile_words_of_ops_are_text(store):
    values = dict.fromkeys(("service", "cause", "symptom", "remedy", "by", "host"), HOSTILE)
    event = e.OpsEvent(event_id='"><script>', kind="symptom", evidence={HOSTILE: HOSTILE}, **values)
    store.apply(event)
    assert harmless(happenings.happenings(store, 5))


def test_a_hostile_answer_is_text_and_loads_nothing():
    shown = prose(f"{HOSTILE} ![x](http://evil.example/x.png) [y](javascript:alert(3))")
    assert harmless(shown)
    assert "javascript:" not in str(shown).replace("[y](javascript:alert(3))", "")


def test_ten_megabytes_are_cut():
    assert len(prose("word " * 2_000_000)) < 2 * SHOWN
    live = {"s1": "x" * 10_000_000}
    store = Store()
    update = e.LiveUpdate(task_id="t1", step_id="s1", kind="text", text=live["s1"])
    store.apply(update)
    assert len(store.crew.live["t1"]["s1"]) <= 8000


async def test_ten_thousand_characters_of_a_title_are_cut_with_a_way_to_the_whole(parts):
    parts.store.fold(view("t1", title="long " * 2000))
    async with user_simulation(root=lambda: task.build(parts, "t1")) as user:
        html = (await user.http_client.get("/")).text
    assert "the whole title" in html
    assert len(str(task_table(parts.store, parts.store.crew.latest(1)))) < 3000


@pytest.mark.parametrize(
    "forged",
    [
        b"{broken", b"[]", b"\xff\xfe", b'{"service": "router"}',
        b'{"service": "a.b.>", "instance": "x", "host": "h", "boot": "b", "pid": 1, "seq": "NaN"}',
        b'{"error": {"code": "x", "message": "not a beat"}}',
    ],
)  # fmt: skip
async def test_a_forged_beat_changes_nothing_but_a_counter(store, forged):
    await hearing(store, e.Beat)(Message("health.beat.router.x", forged))
    assert (store.malformed, store.vitals.instances) == (1, {})


async def test_ten_thousand_invented_instances_are_bounded(store):
    for number in range(2000):
        store.apply(beat("router", instance=f"i{number}"))
    assert len(store.vitals.instances) <= 500


def test_forged_results_of_unknown_tasks_invent_no_task(store):
    store.apply(e.TaskResult(task_id="nobody", title=HOSTILE, state="done"))
    assert store.crew.tasks == {}


def test_a_hostile_journal_is_text():
    from services.dashboard.journal import Line

    lines = [Line(1, {"kind": HOSTILE, "by": HOSTILE, "reason": {"message": HOSTILE}})]
    assert harmless(record.journal_card(lines, "t1"))
    assert harmless(steps.steps_card(view("t1", title=HOSTILE), None, Store().crew))


class Message:
    """A message as a handler reads it."""

    def __init__(self, subject, data):
        self.subject, self.data = subject, data
