from datetime import timedelta

from cli.graph import COLUMNS, depths, rows
from shared.clock import now
from shared.events import StepView, TaskState


def step(name, *after, state=TaskState.QUEUED, **more):
    return StepView(id=name, agent="builder", title=name, state=state, depends_on=after, **more)


def test_depth_is_the_longest_way_from_a_start():
    steps = [step("d", "b", "c"), step("a"), step("b", "a"), step("c", "b")]
    assert depths(steps) == {"a": 0, "b": 1, "c": 2, "d": 3}


def test_a_cycle_or_an_unknown_parent_comes_to_an_end():
    assert depths([step("a", "b"), step("b", "a", "gone")])["a"] <= 8


def test_rows_stand_in_the_order_of_the_work():
    shown = rows([step("b", "a"), step("a", state=TaskState.DONE)], now())
    assert [row[0] for row in shown] == ["✓ a", "  · b"]
    assert {len(row) for row in shown} == {len(COLUMNS)}


def test_a_running_step_counts_its_seconds():
    present = now()
    started = present - timedelta(seconds=7)
    [row] = rows([step("a", state=TaskState.RUNNING, started_at=started)], present)
    assert row[COLUMNS.index("time")] == "7 s"
