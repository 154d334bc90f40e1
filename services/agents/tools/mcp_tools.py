"""Tools of MCP servers as ours: allowed ones only, and nothing that a server says is believed."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from services.agents.excerpt import cut
from services.agents.tools.mcp_link import McpLink
from services.agents.tools.tool import RESULT_CHARS, Bench, Found, Tool, ToolFailed

if TYPE_CHECKING:
    from mcp import types
    from mcp.types import CallToolResult

log = logging.getLogger(__name__)

SEPARATOR = "__"
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
DESCRIPTION_CHARS = 300
MOST_TOOLS = 16
"""Tools of one server that a model is offered: each costs a part of its context."""


async def tools_of(link: McpLink, wanted: frozenset[str] | None = None) -> list[Tool]:
    """Return the allowed tools that the server offers now; `wanted` names single ones.

    What cannot be used is left out and logged; raises `Unavailable` or `TimedOut`.
    """
    allow = set(link.server.allow)
    offered = [
        each
        for each in await link.tools()
        if ("*" in allow or each.name in allow) and (wanted is None or each.name in wanted)
    ]
    usable = [each for each in offered if _usable(link, each)]
    return [_tool(link, each) for each in usable[:MOST_TOOLS]]


def _usable(link: McpLink, offered: types.Tool) -> bool:
    from shared import schema_check

    name = f"{link.server.name}{SEPARATOR}{offered.name}"
    schema = offered.input_schema
    wrong = None if schema.get("type") == "object" else "its arguments are no object"
    wrong = wrong or schema_check.usable(schema)
    if not NAME.fullmatch(name):
        wrong = "its name is no name, or too long"
    if wrong is not None:
        log.warning("tool %r of MCP server %s: %s", offered.name[:64], link.server.name, wrong)
    return wrong is None


def _tool(link: McpLink, offered: types.Tool) -> Tool:
    server = link.server

    async def run(bench: Bench, given: dict[str, Any]) -> Found:
        result = await link.call(offered.name, given)
        text = cut(_text(result), RESULT_CHARS)
        if result.is_error:
            raise ToolFailed(f"{offered.name}: {text}"[:500])
        return Found(text)

    about = " ".join((offered.description or offered.name).split())
    return Tool(
        name=f"{server.name}{SEPARATOR}{offered.name}",
        description=cut(about, DESCRIPTION_CHARS),
        parameters=offered.input_schema,
        effect=server.effects.get(offered.name, server.effect),
        run=run,
        within_s=server.timeout_s * 4,
    )


def _text(result: CallToolResult) -> str:
    """Return what the server said as text; what is no text is named."""
    parts = [getattr(block, "text", None) or f"[{block.type}]" for block in result.content]
    if not parts and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(parts) or "done, without a word"
