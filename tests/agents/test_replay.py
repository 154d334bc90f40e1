"""A task told again: pure over entries, then over a journal that a real crew wrote."""

import pytest

from services.agents.closing import slim
from services.agents.fold import fold
from services.agents.replay import compared, replay
from services.agents.replaying import replayed
from services.agents.summary import result_of
from shared.bus import encode
from shared.errors import InvalidInput, NotFound
from shared.events import journal as j
from shared.events.replay import ReplayAsk
from shared.events.tasks import Plan, PlanStep, TaskState
from tests.agents.harness import crew, model, result, submit, until
from tests.agents.test_control import control
from tests.agents.test_fold import answered, ended, queued, started

ONE = PlanStep(id="a", agent="builder", title="a", instruction="Do it.")
ENTRIES = list(
    enumerate(
        (
            queued(), j.TaskPlanned(plan=Plan(steps=(ONE,), origin="rule")), started("a"),
            answered("a", "1.1"), ended("a"), j.TaskFinished(state=TaskState.DONE),
        ),
        start=11,
    )
)  # fmt: skip
ASK = ReplayAsk(task_id="t")


def test_every_entry_is_told_with_the_state_and_what_was_decided():
    told = replay(ASK, ENTRIES, {})
    assert [(line.seq, line.state, line.decided) for line in told.lines] == [
        (11, "queued", ("plan",)),
        (12, "queued", ("hand a to builder",)),
        (13, "running", ()),
        (14, "running", ()),
        (15, "running", ("end: done",)),
        (16, "done", ()),
    ]
    assert (told.calls, told.starts, told.lines[3].step_id) == (1, 1, "a")
    assert "5 tokens" in told.lines[3].text


def test_until_a_sequence_the_task_is_what_it_was_then():
    told = replay(ReplayAsk(task_id="t", until=13), ENTRIES, {})
    assert (len(told.lines), told.view.state, told.view.seq) == (3, "running", 13)
    assert (told.results, told.verified) == ((), False)


def test_a_result_follows_byte_for_byte_or_its_fields_are_named():
    record = fold("t", ENTRIES)
    good = encode(result_of(record))
    assert compared(record, good).same
    assert compared(record, encode(slim(result_of(record)))).same
    other = compared(record, good.replace(b'"answer":"', b'"answer":"other '))
    assert (other.stored, other.same, other.differs) == (True, False, ("answer",))
    assert compared(record, good + b" ").differs == ("form",)
    assert not compared(record, None).stored


def test_an_unknown_task_and_a_journal_that_does_not_fit_are_typed_errors():
    with pytest.raises(NotFound):
        replay(ASK, [], {})
    with pytest.raises(InvalidInput, match="entry 13"):
        replay(ASK, [ENTRIES[0], ENTRIES[2]], {})


async def test_both_runs_of_a_real_task_are_verified_without_a_model(bus, settings):
    async with crew(bus, settings) as room:
        async with model(bus):
            await submit(bus, template="default")
            first = await result(bus)
            await control(bus, "retry", step=first.plan.steps[1].id)
            await result(bus, run=2)
        await until(lambda: _told_both(room))
        told = await replayed(room, ReplayAsk(task_id="t1"))
    assert [(one.run, one.same) for one in told.results] == [(1, True), (2, True)]
    assert told.verified
    assert told.calls == 3 + 2


async def _told_both(room) -> bool:
    return len((await replayed(room, ReplayAsk(task_id="t1"))).results) == 2
