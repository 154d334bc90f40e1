"""The crew for agents that speak A2A 1.0: an agent card, and JSON-RPC on `/a2a`."""
