import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.router.offline import answer
from shared.errors import NeedsModel
from tests.router.offline.asking import ask
from tests.router.offline.samples import MEETING, PROSE, REPORT, TABLE


def fill(schema, text, instruction="Fill in the form"):
    found = answer(ask(instruction, documents=[text], format=schema))
    Draft202012Validator(schema).validate(found.data)
    assert json.loads(found.content) == found.data
    return found.data


def form(required=None, **properties):
    names = list(properties) if required is None else required
    return {
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": False,
    }


INCIDENT = """On agent-3 the error rate stood at 84 % for 12 minutes.
Severity: high
Host: agent-3
Resolved: yes
Started at: 2025-11-15
Tags: network, cache
"""


def test_each_kind_of_value_comes_from_the_text():
    schema = form(
        host={"type": "string", "maxLength": 20},
        severity={"enum": ["low", "medium", "high"]},
        error_rate={"type": "integer", "minimum": 0, "maximum": 100},
        minutes={"type": "number"},
        resolved={"type": "boolean"},
        startedAt={"type": "string", "format": "date"},
        tags={"type": "array", "items": {"type": "string"}},
    )
    assert fill(schema, INCIDENT) == {
        "host": "agent-3",
        "severity": "high",
        "error_rate": 84,
        "minutes": 12,
        "resolved": True,
        "startedAt": "2025-11-15",
        "tags": ["network", "cache"],
    }


@pytest.mark.parametrize(
    "wanted",
    [
        {"customer": {"type": "string"}},
        {"price": {"type": "number"}},
        {"paid": {"type": "boolean"}},
        {"colour": {"enum": ["red", "blue"]}},
        {"attendees": {"type": "array", "items": {"type": "string"}}},
        {"minutes": {"type": "integer", "minimum": 100}},
        {"birthday": {"type": "string", "format": "date-time"}},
        {"pass": {"type": "boolean"}, "problems": {"type": "array", "items": {"type": "string"}}},
    ],
)
def test_what_the_text_does_not_say_needs_a_model(wanted):
    with pytest.raises(NeedsModel, match=next(iter(wanted))):
        fill(form(**wanted), INCIDENT)


def test_what_is_not_required_is_left_out():
    schema = form(["host"], host={"type": "string"}, customer={"type": "string"})
    assert fill(schema, INCIDENT) == {"host": "agent-3"}


def test_null_is_taken_where_the_schema_takes_it():
    schema = form(customer={"anyOf": [{"type": "string"}, {"type": "null"}]}, x={"type": ["null"]})
    assert fill(schema, INCIDENT) == {"customer": None, "x": None}


def test_lists_of_open_items_and_risks_are_the_texts_own():
    strings = {"type": "array", "items": {"type": "string"}}
    found = fill(form(pending=strings, risks=strings), REPORT)
    assert found["pending"] == [
        "Hire a second baker",
        "Repair the cooling room",
        "Print new menus",
    ]
    assert "Can start once the parts arrive" in found["risks"]


def test_items_become_objects():
    item = form(
        ["title", "priority"],
        title={"type": "string"},
        priority={"enum": ["high", "medium", "low"]},
        number={"type": "integer"},
    )
    found = fill(form(pending={"type": "array", "items": item, "maxItems": 2}), REPORT)
    assert found["pending"] == [
        {"title": "Hire a second baker", "priority": "high", "number": 1},
        {"title": "Repair the cooling room", "priority": "high", "number": 2},
    ]


def test_local_references_and_nested_objects_are_followed():
    schema = form(box={"$ref": "#/$defs/Box"})
    schema["$defs"] = {"Box": form(host={"type": "string"}, self={"$ref": "#/$defs/Box"})}
    schema["$defs"]["Box"]["required"] = ["host"]
    assert fill(schema, INCIDENT)["box"]["host"] == "agent-3"


def test_text_is_cut_to_its_length_and_a_summary_is_extracted():
    found = fill(form(summary={"type": "string", "maxLength": 60}), PROSE)
    assert len(found["summary"]) <= 60
    assert found["summary"][:20] in PROSE


def test_an_answer_property_holds_what_the_instruction_asks():
    schema = form(answer={"type": "string"})
    assert "Add alert" in fill(schema, TABLE, "List what is still open")["answer"]


@pytest.mark.parametrize(
    "schema",
    [
        form(host={"type": "string", "pattern": "^(a+)+$"}),
        form(host={"$ref": "http://example.invalid/x"}),
        {"type": "object", "properties": {"host": {"type": "nonsense"}}, "required": ["host"]},
        {"type": "array", "items": {"type": "integer"}},
        {"not": {}},
        {"$ref": "#"},
        {"type": "object", "patternProperties": {"^(a+)+$": {}}},
        form(host={"type": "string", "const": 5}),
        {"properties": 5},
    ],
)
def test_a_schema_that_rules_cannot_meet_is_refused_and_never_fetched(schema):
    with pytest.raises(NeedsModel):
        fill(schema, INCIDENT)


LEAVES = st.sampled_from(
    [
        {"type": "string", "maxLength": 12},
        {"type": "integer", "minimum": 0, "maximum": 50},
        {"type": "number"},
        {"type": "boolean"},
        {"enum": ["high", "low", None]},
        {"type": ["string", "null"]},
        {"type": "array", "items": {"type": "string"}, "maxItems": 2},
    ]
)
NAMES = st.sampled_from(["host", "title", "summary", "pending", "risks", "owner", "minutes", "n"])


@settings(max_examples=60, deadline=None)
@given(properties=st.dictionaries(NAMES, LEAVES, max_size=5), need=st.booleans())
def test_data_always_meets_the_schema(properties, need):
    schema = form(None if need else [], **properties)
    for text in (INCIDENT, REPORT, MEETING):
        try:
            fill(schema, text)
        except NeedsModel:
            continue


def test_every_entry_has_its_own_values():
    item = form(title={"type": "string"}, details={"type": "string"})
    found = fill(form(pending={"type": "array", "items": item, "maxItems": 1}), REPORT)
    assert found["pending"][0]["details"].startswith("Interviews start on Monday; ")
