"""`sovereign mcp`: the crew as tools for any MCP client."""

from __future__ import annotations


def mcp() -> None:
    """Serve the crew's tools to an MCP client on stdin and stdout."""
    from cli.serving import serve

    serve()
