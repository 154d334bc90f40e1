import pytest

from services.router import schema
from shared.errors import InvalidInput, OutputInvalid

NUMBER = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 5}}}


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"type": "nonsense"}, "nonsense"),
        ({"$ref": "https://example.com/schema.json"}, "leads outside"),
        ({"$ref": "#"}, "circle"),
        ({"$ref": "#/$defs/gone"}, "gone"),
        ({"properties": {"n": {"enum": []}}}, "enum is empty"),
        ({"pattern": "(a"}, "pattern"),
    ],
)
def test_a_wrong_schema_is_refused_and_nothing_is_fetched(wanted, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        schema.check(wanted)
    assert caught.value.field == "format"


def test_a_schema_that_is_nested_without_end_is_refused():
    wanted: dict = {}
    for _ in range(200):
        wanted = {"items": wanted}
    with pytest.raises(InvalidInput):
        schema.check(wanted)


def test_a_recursive_schema_that_ends_is_fine():
    tree = {"type": "object", "properties": {"kids": {"type": "array", "items": {"$ref": "#"}}}}
    schema.check(tree)
    assert schema.parse('{"kids": [{"kids": []}]}', tree) == {"kids": [{"kids": []}]}


def test_an_answer_is_checked_and_its_fence_taken_off():
    assert schema.parse('```json\n{"n": 5}\n```', NUMBER) == {"n": 5}
    with pytest.raises(OutputInvalid, match="n: 6 is greater"):
        schema.parse('{"n": 6}', NUMBER)
    with pytest.raises(OutputInvalid, match="not JSON"):
        schema.parse('{"n": ', NUMBER)


def test_the_word_json_takes_any_value():
    schema.check("json")
    assert schema.parse("[1]", "json") == [1]


def test_a_pattern_that_never_ends_costs_a_moment_and_is_named():
    wanted = {"pattern": r"^(a|a)*(.)\2(.)\3$"}
    schema.check(wanted)
    with pytest.raises(OutputInvalid, match="too slow"):
        schema.parse(f'"{"a" * 200}!?"', wanted)
