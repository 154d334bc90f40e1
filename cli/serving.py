"""Starting the MCP server, which needs an extra that not every host installs."""

from __future__ import annotations

import asyncio
from importlib.util import find_spec

from shared.errors import Unavailable
from shared.settings import load


def serve() -> None:
    """Serve until the client leaves; raise `Unavailable` with the remedy without the SDK."""
    if find_spec("mcp") is None:
        raise Unavailable("the MCP SDK is not installed: pip install 'sovereign[mcp]'")
    from cli.mcp_server.server import serve

    asyncio.run(serve(load()))
