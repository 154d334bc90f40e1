"""`run_check`: certain answers about a text, given by code: does it parse, how long is it."""

from __future__ import annotations

import ast
import asyncio
import json
import tomllib
from collections.abc import Callable
from typing import Any

import yaml

from services.agents.tools.artifacts import MOST_CHARS, NAME, content_of
from services.agents.tools.tool import Bench, Found, Tool, ToolFailed, arguments, mentions

Check = Callable[[str, str], str]


def _python(text: str, value: str) -> str:
    ast.parse(text)
    return "valid Python"


def _json(text: str, value: str) -> str:
    json.loads(text)
    return "valid JSON"


def _yaml(text: str, value: str) -> str:
    for _ in yaml.parse(text, yaml.SafeLoader):
        pass
    return "valid YAML"


def _toml(text: str, value: str) -> str:
    tomllib.loads(text)
    return "valid TOML"


def _length(text: str, value: str) -> str:
    return f"{len(text)} characters, {len(text.split())} words, {len(text.splitlines())} lines"


def _contains(text: str, value: str) -> str:
    if not value:
        raise ValueError("value: what to look for is missing")
    return f"{value!r} stands in it {text.count(value)} times"


CHECKS: dict[str, Check] = {
    "json": _json, "yaml": _yaml, "toml": _toml, "python": _python,
    "length": _length, "contains": _contains,
}  # fmt: skip
WRONG = (ValueError, SyntaxError, yaml.YAMLError, RecursionError, MemoryError)


def judge(check: str, text: str, value: str = "") -> str:
    """Return one line that says whether the text passes, and where it does not; runs nothing."""
    try:
        return f"ok: {CHECKS[check](text, value)}"
    except WRONG as error:
        said = " ".join(str(error).split())[:300]
        return f"wrong: {said or type(error).__name__}"


async def run(bench: Bench, given: dict[str, Any]) -> Found:
    """Check the given text, or an artifact that this task has made."""
    text = given.get("text")
    if text is None and not given.get("artifact"):
        raise ToolFailed("text: give a text, or the name of an artifact", field="text")
    if text is None:
        text = await content_of(bench.bus, str(bench.task.task_id), given["artifact"])
    said = await asyncio.to_thread(judge, given["check"], text[:MOST_CHARS], given.get("value", ""))
    return Found(said)


RUN_CHECK = Tool(
    name="run_check",
    description="Check a text with code: does it parse, how long is it, what does it contain.",
    parameters=arguments(
        ["check"],
        check={"type": "string", "enum": list(CHECKS)},
        text={"type": "string", "maxLength": MOST_CHARS, "description": "the text to check"},
        artifact=NAME | {"description": "or the name of a file that was written"},
        value={"type": "string", "maxLength": 400, "description": "for contains: what to find"},
    ),
    effect="pure",
    run=run,
    fits=mentions(
        "json", "yaml", "toml", "python", "code", "script", "words", "characters", "valid",
        "syntax", "check", "wörter", "zeichen",
    ),
)  # fmt: skip
