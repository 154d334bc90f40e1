"""`read_attachment`: the parts of a document that did not fit into the prompt."""

from __future__ import annotations

from typing import Any

from services.agents.excerpt import cut, excerpt
from services.agents.tools.tool import RESULT_CHARS, Bench, Found, Tool, ToolFailed, arguments

NAME = "read_attachment"


async def read(bench: Bench, given: dict[str, Any]) -> Found:
    """Return a part of one document: from `offset` on, or what is nearest to `query`."""
    known = {document.name: document for document in bench.documents}
    document = known.get(given["name"])
    if document is None:
        line = f"no document {given['name']!r}; there are: {', '.join(known) or 'none'}"
        raise ToolFailed(line[:500], field="name")
    if not document.text:
        raise ToolFailed(f"{document.name}: {document.note or 'empty'}", field="name")
    if given.get("query"):
        return Found(excerpt(document.text, RESULT_CHARS, given["query"]))
    start = given.get("offset", 0)
    end = min(start + RESULT_CHARS - 100, len(document.text))
    head = f"[characters {start} to {end} of {len(document.text)}]"
    return Found(cut(f"{head}\n{document.text[start:end]}", RESULT_CHARS))


def _something_is_missing(bench: Bench) -> bool:
    return bool(bench.cut)


READ_ATTACHMENT = Tool(
    name=NAME,
    description="Read a part of a document that is not shown whole: by query, or from an offset.",
    parameters=arguments(
        ["name"],
        name={"type": "string", "maxLength": 255, "description": "the document's name"},
        query={"type": "string", "maxLength": 400, "description": "words to look for"},
        offset={"type": "integer", "minimum": 0, "description": "first character"},
    ),
    effect="pure",
    run=read,
    fits=_something_is_missing,
)
