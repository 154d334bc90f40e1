import re

from services.dashboard.pages.dag import depth, drawing
from shared.events import StepView


def step(name: str, *after: str, title: str = "x") -> StepView:
    return StepView(id=name, agent="builder", title=title, state="queued", depends_on=after)


def test_columns_follow_the_longest_way():
    steps = [step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("e", "a", "d")]
    assert depth(steps) == {"a": 0, "b": 1, "c": 1, "d": 2, "e": 3}


def test_all_columns_of_a_wide_plan_begin_in_sight():
    wide = [step("a"), *(step(f"b{n}", "a") for n in range(28)), step("z", "b0")]
    tops = [int(y) for y in re.findall(r'<rect x="\d+" y="(\d+)"', drawing(wide))]
    assert max(tops[0], tops[1], tops[-1]) < 480
    assert "scroll plan" in drawing(wide)


def test_a_circle_is_drawn_and_does_not_hang():
    html = drawing([step("a", "b"), step("b", "a")])
    assert html.count("<rect") == 2


def test_dependencies_that_do_not_exist_are_left_out():
    assert drawing([step("a", "ghost")]).count("<path") == 0


def test_titles_are_escaped():
    assert "<script>" not in drawing([step("a", title="<script>alert(1)</script>")])


def test_no_steps_is_an_empty_drawing():
    assert "<rect" not in drawing([])
