"""Code checks of a step's output, before any critic: cheap, certain, the same every time."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from services.agents.crew import AgentSpec
from shared.events.tasks import PlanStep
from shared.schema_check import usable, validate

_LIST_LINE = re.compile(r"^\s{0,12}(?:[-*+•]|\d{1,4}[.)]|\|)\s?\S", re.M)
_MARKUP = re.compile(r"^\s*<(?:task|instruction|input|document)\b", re.I)
_FENCE = re.compile(r"^\s*```[a-zA-Z]*\s*\n(.*?)\n?```\s*$", re.S)
EMPTY = "empty"
"""The code of an output without a letter or digit."""


@dataclass(frozen=True)
class Problem:
    """Why an output is refused: a code for programs, a line for people and for the re-ask."""

    code: str
    message: str


def check_output(
    spec: AgentSpec, step: PlanStep, output: str, schema: dict[str, Any] | None = None
) -> Problem | None:
    """Return the first thing wrong with `output`, or None.

    `schema` is the one that this very request was made with (`ChatRequest.format`), if any.
    """
    text = output.strip()
    wanted = schema or spec.output.json_schema
    if wanted is not None:
        return check_json(text, wanted) if text else _empty(text)
    return _empty(text) or _echo(step, text) or _length(spec, text) or _form(spec, text)


def check_json(text: str, schema: dict[str, Any]) -> Problem | None:
    """Return what keeps `text` from being JSON that meets `schema`; nothing is ever fetched."""
    try:
        data = parse_json(text)
    except (ValueError, RecursionError) as error:
        return Problem("not_json", f"the output is not JSON: {error}"[:300])
    return check_data(data, schema)


def check_data(data: Any, schema: dict[str, Any]) -> Problem | None:
    """Return where `data` breaks `schema`, or None."""
    wrong = usable(schema)
    if wrong is not None:
        return Problem("bad_schema", f"the schema cannot be used: {wrong}"[:300])
    broken = validate(data, schema)
    return Problem("schema", broken) if broken is not None else None


def parse_json(text: str) -> Any:
    """Return the JSON of an answer, with or without a code fence around it."""
    fenced = _FENCE.match(text)
    return json.loads(fenced.group(1) if fenced else text)


def _empty(text: str) -> Problem | None:
    if not any(character.isalnum() for character in text):
        return Problem(EMPTY, "the output is empty")
    return None


def _echo(step: PlanStep, text: str) -> Problem | None:
    """Refuse the prompt given back: its markup, or the instruction and hardly more."""
    if _MARKUP.match(text):
        return Problem("echo", "the output repeats the prompt")
    plain, asked = _folded(text), _folded(step.instruction)
    if len(asked) >= 20 and plain.startswith(asked) and len(plain) < 1.2 * len(asked):
        return Problem("echo", "the output repeats the instruction")
    return None


def _length(spec: AgentSpec, text: str) -> Problem | None:
    rules = spec.output
    if len(text) < rules.min_chars:
        return Problem("too_short", f"{len(text)} characters, at least {rules.min_chars}")
    if len(text) > rules.max_chars:
        return Problem("too_long", f"{len(text)} characters, at most {rules.max_chars}")
    return None


def _form(spec: AgentSpec, text: str) -> Problem | None:
    if spec.output.form == "list" and not _LIST_LINE.search(text):
        return Problem("no_list", "the output must be a list")
    return None


def _folded(text: str) -> str:
    return " ".join(text.lower().split())
