"""The crew for any MCP client: `server.py` carries it, one file a family of tools."""
