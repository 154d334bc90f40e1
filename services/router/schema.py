"""Structured answers: what a request may ask for, and whether an answer meets it.

Engines constrain sampling only in part (ranges, patterns and lengths slip through; a cut answer is
never valid), so every answer is checked here, whatever the engine promised.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Literal

import orjson

from shared.errors import InvalidInput, OutputInvalid

Format = dict[str, Any] | Literal["json"]
FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n\s*```\s*$", re.S)
MAX_DEPTH = 64


def check(wanted: Format | None) -> None:
    """Raise `InvalidInput` for a schema that is wrong or reaches outside of itself."""
    if wanted is None or wanted == "json":
        return
    _check_references(wanted, 0)
    _check_text(orjson.dumps(wanted))


@lru_cache(maxsize=256)
def _check_text(text: bytes) -> None:
    """Check one schema; the same few come again and again."""
    import jsonschema  # for those who ask for structure: it costs time and memory

    wanted = orjson.loads(text)
    try:
        jsonschema.Draft202012Validator.check_schema(wanted)
        jsonschema.Draft202012Validator(wanted, registry=_registry()).is_valid({})
    except jsonschema.SchemaError as error:
        raise InvalidInput(f"format: {error.message}"[:300], field="format") from None
    except RecursionError:
        raise InvalidInput("format: its $ref turn in a circle", field="format") from None
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("jsonschema", "referencing"):
            raise
        raise InvalidInput(f"format: {error}"[:300], field="format") from None


def instruction(wanted: Format) -> str:
    """Return the words that go with the prompt, since constraints alone do not inform."""
    if wanted == "json":
        return "Answer with one JSON value and nothing else."
    text = orjson.dumps(wanted).decode()
    return f"Answer with one JSON value that meets this JSON Schema, and nothing else:\n{text}"


def is_told(content: str, wanted: Format) -> bool:
    """Tell whether a text holds this very schema, as JSON with or without spaces."""
    if wanted == "json":
        return False
    return json.dumps(wanted) in content or orjson.dumps(wanted).decode() in content


def parse(content: str, wanted: Format) -> Any:
    """Return the value of an answer; raise `OutputInvalid` with what is wrong with it."""
    fenced = FENCE.match(content)
    try:
        value = orjson.loads(fenced.group(1) if fenced else content)
    except orjson.JSONDecodeError as error:
        raise OutputInvalid(f"the answer is not JSON: {error}", field="format") from None
    if wanted != "json":
        _validate(value, wanted)
    return value


def _validate(value: Any, wanted: dict[str, Any]) -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(wanted, registry=_registry())
    wrong = next(validator.iter_errors(value), None)
    if wrong is not None:
        place = "/".join(str(part) for part in wrong.absolute_path) or "the answer"
        raise OutputInvalid(f"{place}: {wrong.message}"[:500], field="format")


def _registry() -> Any:
    """Return a registry that holds nothing, so that no `$ref` is ever fetched."""
    import referencing

    return referencing.Registry()


def _check_references(node: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise InvalidInput("format: nested too deeply", field="format")
    if isinstance(node, dict):
        reference = node.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            raise InvalidInput(f"format: $ref {reference[:80]} leads outside", field="format")
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        _check_references(child, depth + 1)
