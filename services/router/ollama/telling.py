"""Gathers the lines of one streamed chat into an answer."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from services.router import names
from services.router.engine import Answer
from services.router.ollama.chat import tool_calls
from shared.errors import EngineFailed, OutputCut, SovereignError

NANOSECONDS = 1e9
MOST_TOKENS = 10**9
MOST_NANOSECONDS = 10**15
"""More is no count; the record's columns and sums could not hold it."""
BEYOND, SLACK = 2, 100
"""A line holds a token or more, and a model that thinks may be asked twice (for the thought, for
the structure): a server that sends more lines heeds no limit and would fill the memory."""
REPEATS = 30
"""Ollama gives a stream up, without its last line, once a token came so often in a row."""


class Telling:
    """What was told so far, since `began` (monotonic seconds), of an answer of `limit` tokens."""

    def __init__(self, model: str, began: float, allow_remote: bool, limit: int) -> None:
        self._model = model
        self._limit = limit
        self._most = BEYOND * limit + SLACK
        self._began = began
        self._allow_remote = allow_remote
        self._first_s: float | None = None
        self._pieces: list[str] = []
        self._thoughts: list[str] = []
        self._calls: list[dict[str, Any]] = []
        self._last: dict[str, Any] | None = None

    def take(self, line: dict[str, Any]) -> str:
        """Take one line in and return the text that it adds."""
        if line.get("remote_host") and not self._allow_remote:
            raise names.leaves(self._model, str(line["remote_host"]))
        if self._first_s is None:
            self._first_s = time.monotonic() - self._began
        message = line.get("message") or {}
        if not isinstance(message, dict):
            raise EngineFailed("Ollama sent a message that is not an object")
        delta = _text(message, "content")
        self._pieces.append(delta)
        if len(self._pieces) > self._most:
            raise OutputCut(f"Ollama went on far beyond the limit of {self._limit} tokens")
        self._calls += _list(message, "tool_calls")
        self._thoughts.append(_text(message, "thinking"))
        if line.get("done"):
            self._last = line
        return delta

    def answer(self, host: str, own: bool) -> Answer:
        """Return the answer; raise when the stream ended before its last line."""
        last = self._last
        if last is None:
            raise self._unfinished()
        try:
            calls = tool_calls(self._calls)
        except (KeyError, TypeError, AttributeError):
            raise EngineFailed("Ollama sent a tool call without a name") from None
        return Answer(
            content="".join(self._pieces),
            model=self._model,
            thinking="".join(self._thoughts),
            tool_calls=calls,
            done_reason=str(last.get("done_reason") or "stop"),
            prompt_tokens=count(last, "prompt_eval_count", MOST_TOKENS),
            completion_tokens=count(last, "eval_count", MOST_TOKENS),
            first_token_s=self._first_s,
            load_s=seconds(last, "load_duration"),
            prompt_s=seconds(last, "prompt_eval_duration"),
            eval_s=seconds(last, "eval_duration"),
            cost_usd=None if last.get("remote_host") else Decimal(0),
            host=host,
            own_host=own and not last.get("remote_host"),
        )

    def _unfinished(self) -> SovereignError:
        """Tell whose fault it is that the last line is missing: the model's or the server's."""
        said = list(zip(self._pieces, self._thoughts, strict=True))[-REPEATS:]
        alike = {(piece + thought).strip() for piece, thought in said}
        if len(said) == REPEATS and len(alike) == 1:
            return OutputCut("the model repeated itself until Ollama gave it up")
        return EngineFailed("Ollama ended the stream without its last line")


def seconds(line: dict[str, Any], name: str) -> float:
    """Return a duration, which comes as nanoseconds and is left out when zero."""
    return count(line, name, MOST_NANOSECONDS) / NANOSECONDS


def count(line: dict[str, Any], name: str, most: int) -> int:
    """Return a count, 0 when it is left out; raise `EngineFailed` for what is none."""
    value = line.get(name) or 0
    if not isinstance(value, int | float) or not 0 <= value <= most:
        raise EngineFailed(f"Ollama sent a {name} that is no count: {str(value)[:40]}")
    return int(value)


def _text(message: dict[str, Any], name: str) -> str:
    value = message.get(name) or ""
    if not isinstance(value, str):
        raise EngineFailed(f"Ollama sent a {name} that is no text")
    return value


def _list(message: dict[str, Any], name: str) -> list[Any]:
    value = message.get(name) or []
    if not isinstance(value, list):
        raise EngineFailed(f"Ollama sent {name} that are no list")
    return value
