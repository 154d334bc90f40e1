"""Gathers the lines of one streamed chat into an answer."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

from services.router import names
from services.router.engine import Answer
from services.router.ollama.chat import tool_calls
from shared.errors import EngineFailed, OutputCut

NANOSECONDS = 1e9


class Telling:
    """What was told so far, since `began` (monotonic seconds)."""

    def __init__(self, model: str, began: float, allow_remote: bool) -> None:
        self._model = model
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
        delta = message.get("content") or ""
        self._pieces.append(delta)
        self._calls += message.get("tool_calls") or ()
        self._thoughts.append(message.get("thinking") or "")
        if line.get("done"):
            self._last = line
        return str(delta)

    def answer(self, host: str, own: bool) -> Answer:
        """Return the answer; raise when the stream ended before its last line."""
        last = self._last
        if last is None:
            raise OutputCut("Ollama ended the stream without its last line")
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
            prompt_tokens=int(last.get("prompt_eval_count") or 0),
            completion_tokens=int(last.get("eval_count") or 0),
            first_token_s=self._first_s,
            load_s=_seconds(last, "load_duration"),
            prompt_s=_seconds(last, "prompt_eval_duration"),
            eval_s=_seconds(last, "eval_duration"),
            cost_usd=None if last.get("remote_host") else Decimal(0),
            host=host,
            own_host=own and not last.get("remote_host"),
        )


def _seconds(line: dict[str, Any], name: str) -> float:
    """Return a duration, which comes as nanoseconds and is left out when zero."""
    return int(line.get(name) or 0) / NANOSECONDS
