"""`search_sessions`: what earlier sessions recorded."""

from __future__ import annotations

from typing import Any

from services.agents.excerpt import cut
from services.agents.tools.tool import RESULT_CHARS, Bench, Found, Tool, arguments, mentions
from shared.events.sessions import SearchAsk, SearchHit, SearchReply

HITS = 6
HIT_CHARS = 600


async def search(bench: Bench, given: dict[str, Any]) -> Found:
    """Return the best hits, one block each; raise `Unavailable` when sessions do not answer."""
    ask = SearchAsk(namespace=bench.settings.sessions.namespace, query=given["query"], limit=HITS)
    reply = await bench.bus.request("session.search", ask, SearchReply)
    blocks = [_block(hit) for hit in reply.hits]
    return Found(cut("\n".join(blocks) or "nothing was found", RESULT_CHARS))


def _block(hit: SearchHit) -> str:
    head = f"[{hit.at:%Y-%m-%d} {hit.kind} by {hit.actor} in session {hit.session_id}] {hit.title}"
    return f"{head}\n{cut(hit.text, HIT_CHARS)}"


SEARCH_SESSIONS = Tool(
    name="search_sessions",
    description="Search what earlier sessions recorded: decisions, findings, results.",
    parameters=arguments(
        ["query"],
        query={"type": "string", "minLength": 1, "maxLength": 400, "description": "words"},
    ),
    effect="pure",
    run=search,
    fits=mentions(
        "session", "earlier", "previous", "last time", "last week", "yesterday", "before",
        "remember", "recall", "history", "we decided", "gestern", "früher", "letzte", "sitzung",
    ),
)  # fmt: skip
