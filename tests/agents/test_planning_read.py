import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.agents.crew import load_crew
from services.agents.planning import read_plan
from shared.errors import OutputInvalid
from shared.events.tasks import TaskRequest

CREW = load_crew()


def raw(name="a", agent="builder", needs=(), **more):
    return {
        "id": name,
        "agent": agent,
        "title": "t",
        "instruction": "do",
        "depends_on": list(needs),
        "done_when": "done",
        **more,
    }


def read(*steps):
    return read_plan(json.dumps({"steps": steps}), CREW)


def edges(plan):
    return {step.id: step.depends_on for step in plan.steps}


def test_a_good_plan_is_taken_as_it_is():
    assert edges(read(raw("a"), raw("b", needs=["a"]))) == {"a": (), "b": ("a",)}


def test_unknown_dependencies_are_dropped_and_double_ones_joined():
    assert edges(read(raw("a"), raw("b", needs=["a", "a", "ghost", "b"]))) == {"a": (), "b": ("a",)}


def test_a_cycle_is_cut_at_the_edge_that_closes_it():
    found = edges(read(raw("a", needs=["c"]), raw("b", needs=["a"]), raw("c", needs=["b"])))
    assert found == {"c": (), "a": ("c",), "b": ("a",)}


def test_steps_out_of_order_are_put_in_order():
    assert list(edges(read(raw("b", needs=["a"]), raw("a")))) == ["a", "b"]


def test_double_and_impossible_ids_are_renamed():
    assert list(edges(read(raw("a"), raw("a"), raw("a.b *"), raw("")))) == [
        "a",
        "a-2",
        "a-b",
        "step-4",
    ]


def test_a_hundred_steps_are_eight():
    plan = read(*[raw(f"s{n}") for n in range(100)])
    assert len(plan.steps) == 8
    assert "92 surplus" in plan.reason


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Builder", "builder"),
        ("analyser", "analyzer"),
        ("strategy", "strategist"),
        ("analyst", "analyzer"),
    ],
)
def test_an_agent_that_is_nearly_right_is_understood(said, meant):
    assert read(raw(agent=said)).steps[0].agent == meant


def test_numbers_as_ids_and_null_for_none_are_understood():
    found = read(raw(1), raw(2, needs=[1], done_when=None), {**raw(3), "depends_on": "2"})
    assert edges(found) == {"1": (), "2": ("1",), "3": ("2",)}


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "Here is the plan: {} Good luck!"])
def test_prose_and_fences_around_the_json_do_no_harm(around):
    text = around.replace("{}", json.dumps({"steps": [raw()]}))
    assert len(read_plan(text, CREW).steps) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "no JSON"),
        ("I cannot do that", "no JSON"),
        ('{"steps": [', "not valid JSON"),
        ('{"plan": 1}', "steps"),
        ('{"steps": []}', "1 to 8"),
        ('{"steps": [1]}', "steps.0"),
        (json.dumps({"steps": [raw(agent="wizard")]}), "'wizard' is not one of"),
        (json.dumps({"steps": [raw(title="", instruction=" ")]}), "instruction is empty"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_what_cannot_be_repaired_is_one_line_to_ask_again(content, told):
    with pytest.raises(OutputInvalid) as caught:
        read_plan(content, CREW)
    assert told in caught.value.message
    assert "\n" not in caught.value.message
    assert len(caught.value.message) <= 400


def test_a_plan_for_a_schema_ends_in_one_answer():
    task = TaskRequest(title="x", output_schema={"type": "object"})
    text = json.dumps({"steps": [raw("answer"), raw("b"), raw("c", needs=["answer"])]})
    assert edges(read_plan(text, CREW, task)) == {
        "part": (),
        "b": (),
        "c": ("part",),
        "answer": ("b", "c"),
    }


WORDS = st.sampled_from(["a", "b", "c", "", "x y", "1"])
STEPS = st.fixed_dictionaries(
    {"id": WORDS, "agent": st.sampled_from(sorted(CREW)), "title": st.just("t")},
    optional={"depends_on": st.lists(WORDS, max_size=4), "instruction": st.text(max_size=9)},
)


@settings(max_examples=120, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=12), st.booleans())
def test_any_plan_becomes_a_dag_with_unique_ids(steps, with_schema):
    task = TaskRequest(title="x", output_schema={"type": "object"} if with_schema else None)
    plan = read_plan(json.dumps({"steps": steps}), CREW, task)
    seen: set[str] = set()
    for step in plan.steps:
        assert set(step.depends_on) <= seen
        assert step.id not in seen
        seen.add(step.id)
    assert 1 <= len(plan.steps) <= 8
