import pytest

from services.agents.checks import check_data, check_output, parse_json
from services.agents.crew import AgentSpec, OutputRules
from shared.events.tasks import PlanStep

STEP = PlanStep(id="a", agent="x", title="t", instruction="List every open item of the text.")
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer", "maximum": 5}},
    "required": ["n"],
}


def spec(**rules):
    return AgentSpec(
        name="x", description="d", done_when="w", prompt="p", output=OutputRules(**rules)
    )


def code(output, schema=None, **rules):
    problem = check_output(spec(**rules), STEP, output, schema)
    return problem.code if problem else None


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("- Hire a baker", None),
        ("", "empty"),
        (" \n\t ", "empty"),
        ("---", "empty"),
        ("<task>t</task>", "echo"),
        ("list every  open item of the TEXT.", "echo"),
        ("List every open item of the text. 1) Hire a baker 2) Repair the oven", None),
    ],
)
def test_an_output_must_say_something_of_its_own(output, expected):
    assert code(output) == expected


def test_lengths_and_form_are_kept():
    assert code("abc", min_chars=5) == "too_short"
    assert code("abcdef", max_chars=5) == "too_long"
    assert code("just prose", form="list") == "no_list"
    assert [code(text, form="list") for text in ("1. a", "* a", "x\n  - a", "| a |")] == [None] * 4


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ('{"n": 3}', None),
        ('```json\n{"n": 3}\n```', None),
        ('{"n": 9}', "schema"),
        ("{}", "schema"),
        ("no", "not_json"),
        ('{"n": 3', "not_json"),
        ("", "empty"),
        ('{"a":' * 100_000, "not_json"),
    ],
)
def test_an_output_with_a_schema_must_meet_it(output, expected):
    assert code(output, SCHEMA) == expected
    assert code(output, form="json", json_schema=SCHEMA) == expected


def test_a_problem_says_where_it_is():
    problem = check_output(spec(), STEP, '{"n": 9}', SCHEMA)
    assert problem.message == "n: 9 is greater than the maximum of 5"


@pytest.mark.parametrize(
    "schema", [{"type": "nonsense"}, {"$ref": "http://example.invalid/a"}, {"$ref": "#/a"}]
)
def test_a_schema_that_cannot_be_used_is_a_problem_and_fetches_nothing(schema):
    assert check_data({}, schema).code == "bad_schema"


def test_json_is_read_with_and_without_a_fence():
    assert parse_json("```\n[1]\n```") == parse_json("[1]") == [1]


def test_a_pattern_that_would_take_for_ever_is_given_up():
    schema = {"type": "object", "properties": {"a": {"pattern": "^a: (a+)+$"}}}
    problem = check_data({"a": "a: " + "a" * 40 + "!"}, schema)
    assert problem.code == "schema"
    assert check_data({"a": "a: aaa"}, schema) is None
