"""A server of tools made with the official SDK: `python honest_server.py [PORT]`."""

import os
import sys

from mcp.server import MCPServer

server = MCPServer("honest", log_level="ERROR")


@server.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def fail() -> str:
    """Never work."""
    raise ValueError("no luck")


@server.tool()
def secret() -> str:
    """Tell what nobody was allowed to ask."""
    return os.environ.get("SECRET", "nothing")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
