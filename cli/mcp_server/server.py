"""The MCP server: tools in families, each registered by a function of its own file."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version

from mcp.server import MCPServer

from cli.mcp_server import sessions, tasks
from cli.mcp_server.line import Line
from cli.mcp_server.strict import StrictServer
from shared.settings import Settings

Family = Callable[[MCPServer, Line], None]

FAMILIES: tuple[Family, ...] = (tasks.register, sessions.register)
"""Each adds its tools to the server; they reach the bus through the line."""

ABOUT = """A crew of AI agents on hardware that its owner controls. Hand it work with submit_task;
what was accepted is never lost and goes on without you. get_task tells how it stands. What
was decided, learned and left open is kept in sessions: search before you begin, take over with
handoff, append what the next one needs to know."""


def build(line: Line) -> MCPServer:
    """Return the server with the tools of all families."""
    server = StrictServer(
        "sovereign", instructions=ABOUT, version=version("sovereign"), log_level="WARNING"
    )
    for register in FAMILIES:
        register(server, line)
    return server


async def serve(settings: Settings) -> None:
    """Serve one client on stdin and stdout until it leaves."""
    async with Line(settings) as line:
        await build(line).run_stdio_async()
