import time

import pytest

from shared.schema_check import MAX_BYTES, usable, validate

CATASTROPHE = r"^(a|a)*(.)\2(.)\3$"
BOMB = "a" * 200 + "!?"


@pytest.mark.parametrize(
    "schema",
    [
        {"pattern": CATASTROPHE},
        {"items": {"pattern": CATASTROPHE}},
        {"patternProperties": {CATASTROPHE: {}}},
        {"patternProperties": {CATASTROPHE: {}}, "additionalProperties": False},
        {"propertyNames": {"pattern": CATASTROPHE}},
    ],
)
def test_a_pattern_that_never_ends_is_named_and_costs_little(schema):
    began = time.process_time()
    for value in (BOMB, [BOMB] * 20, {BOMB: 1}):
        said = validate(value, schema)
        assert said is None or ("pattern" in said and "too slow" in said)
    assert any(validate(value, schema) for value in (BOMB, [BOMB], {BOMB: 1}))
    assert time.process_time() - began < 3


def test_a_pattern_that_re_never_ends_with_is_judged():
    assert "does not match" in validate("a: " + "a" * 40 + "!", {"pattern": r"^a: (a+)+$"})


def test_branches_that_multiply_end_in_time():
    twice = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    schema = {"$defs": {**twice, "d30": {"type": "object"}}, "$ref": "#/$defs/d0"}
    assert "too slow" in usable(schema)


def test_many_objects_are_compared_by_hash():
    value = [{"n": n} for n in range(20_000)]
    assert validate(value, {"uniqueItems": True}) is None
    assert "twice" in validate([*value, {"n": 1.0}], {"uniqueItems": True})
    assert validate([1, True, "1"], {"uniqueItems": True}) is None


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"pattern": "(a"}, "is wrong"),
        ({"properties": {"x": {"pattern": "(((a{1000}){1000}){1000})"}}}, "too long"),
        ({"patternProperties": {"[": {}}}, "is wrong"),
        ({"items": {"enum": []}}, "enum is empty"),
        ({"$ref": "https://example.com/x.json"}, "leads outside"),
        ({"$dynamicRef": "other.json"}, "leads outside"),
        ({"$ref": "#"}, "circle"),
        ({"$ref": "#/$defs/gone"}, "gone"),
        ({"type": "nonsense"}, "nonsense"),
        ({"title": "x" * MAX_BYTES}, "too many"),
    ],
)
def test_a_schema_of_no_use_is_told_in_one_line(schema, words):
    said = usable(schema)
    assert words in said and "\n" not in said
    assert validate({}, schema) == f"the schema: {said}"


def test_a_schema_nested_without_end_is_refused():
    schema: dict = {}
    for _ in range(200):
        schema = {"items": schema}
    assert "too deeply" in usable(schema)


def test_names_and_data_are_not_taken_for_keywords():
    schema = {
        "properties": {"enum": {"type": "array"}, "pattern": {"type": "string"}},
        "const": {"pattern": "(", "enum": [], "$ref": "x"},
    }
    assert usable(schema) is None


@pytest.mark.parametrize(
    ("value", "schema", "words"),
    [
        ({"a": {"b": [1, "x"]}}, {"properties": {"a": {"properties": {"b": {
            "items": {"type": "integer"}}}}}}, "a/b/1: 'x' is not of type 'integer'"),
        ("x", {"pattern": r"^\p{Lu}"}, "the answer: 'x' does not match"),
        ({"x": 1}, {"additionalProperties": False}, "'x' is a property that is not allowed"),
        ({"x": 1}, {"additionalProperties": {"type": "string"}}, "x: 1 is not of type"),
        ({"n1": "x"}, {"patternProperties": {"^n": {"type": "integer"}}}, "n1: 'x' is not"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_path(value, schema, words):
    assert words in validate(value, schema)


def test_what_is_right_is_none():
    schema = {"patternProperties": {"^n": {}}, "additionalProperties": False, "pattern": "x"}
    assert validate({"n1": "x"}, schema) is None
    assert validate("axb", schema) is None
