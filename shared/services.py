"""The services of a whole system, in the order in which they are listed everywhere."""

from __future__ import annotations

SERVICES = ("router", "agents", "match", "ops", "sessions", "dashboard")
"""Each is a package below `services`, an extra to install, and a user of the bus."""
