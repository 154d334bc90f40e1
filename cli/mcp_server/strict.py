"""A server whose tools take the arguments that they name, and no others.

The SDK leaves out what a tool does not know: a client that writes `piority` would never hear that
its task goes without one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError


class StrictServer(MCPServer):
    """An MCP server that tells in its schemas, and by its errors, that nothing else is taken."""

    async def list_tools(self) -> list[Any]:
        """Return the tools, their schemas closed."""
        tools = await super().list_tools()
        return [
            tool.model_copy(update={"input_schema": {**tool.input_schema, **CLOSED}})
            for tool in tools
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Any | None = None
    ) -> Any:
        """Call a tool; an argument that it does not take is an error that names it."""
        for tool in await self.list_tools():
            if tool.name == name:
                _check(arguments, tool.input_schema.get("properties", {}))
        return await super().call_tool(name, arguments, context)


CLOSED = {"additionalProperties": False}


def _check(arguments: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for field in arguments:
        if field not in known:
            shown = repr(field)[:80]
            names = ", ".join(known)
            raise ToolError(f"invalid_input: {shown} is no argument of this tool; it takes {names}")
