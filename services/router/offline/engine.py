"""The door of the offline engine: one request in, one honest answer or `NeedsModel` out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from services.router.offline.fill import filled
from services.router.offline.markup import Ask, read_ask
from services.router.offline.phrases import phrases
from services.router.offline.work import work
from shared.errors import NeedsModel
from shared.events.models import ChatRequest


@dataclass(frozen=True)
class OfflineAnswer:
    """Content in Markdown or JSON, the same as data when a schema was asked, and the label."""

    content: str
    data: Any | None
    notice: str


def answer(request: ChatRequest) -> OfflineAnswer:
    """Answer from the text in the request; raise `NeedsModel` when only a model could.

    With `format`, `data` meets the schema and `content` is its JSON.
    """
    ask = read_ask(request)
    if request.tools:
        raise NeedsModel("choosing tools needs a language model")
    if request.format is None:
        return OfflineAnswer(work(ask), None, _notice(ask))
    data = {"answer": work(ask)} if request.format == "json" else filled(ask, request.format)
    return OfflineAnswer(orjson.dumps(data).decode(), data, _notice(ask))


def _notice(ask: Ask) -> str:
    """Return the label, with a warning when part of the text never arrived."""
    say = phrases(ask.task or ask.instruction)
    whole = all(source.whole for source in ask.sources)
    return say["notice"] if whole else f"{say['notice']} {say['cut']}"
