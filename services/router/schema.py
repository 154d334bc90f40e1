"""Structured answers: what a request may ask for, and whether an answer meets it.

Engines constrain sampling only in part (ranges, patterns and lengths slip through; a cut answer is
never valid), so every answer is checked here, whatever the engine promised.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal

import orjson

from shared.errors import InvalidInput, OutputInvalid

Format = dict[str, Any] | Literal["json"]
FENCE = re.compile(r"^\s*```(?:json)?\s*\n(.*?)\n\s*```\s*$", re.S)


def check(wanted: Format | None) -> None:
    """Raise `InvalidInput` for a schema that is wrong or reaches outside of itself."""
    if wanted is None or wanted == "json":
        return
    from shared import schema_check  # for those who ask for structure: it costs time and memory

    wrong = schema_check.usable(wanted)
    if wrong is not None:
        raise InvalidInput(f"format: {wrong}", field="format")


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
    from shared import schema_check

    wrong = schema_check.validate(value, wanted)
    if wrong is not None:
        raise OutputInvalid(wrong, field="format")
