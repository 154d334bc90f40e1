"""The agent card: who answers here, where, and what it can do."""

from __future__ import annotations

from typing import Any

from shared.beats import VERSION
from shared.events.reports import AgentRoster

PROTOCOL = "1.0"
PATH = "/a2a"
MODES = ["text/plain", "application/json"]
PLAN = {
    "id": "crew",
    "name": "crew",
    "description": "Plans a task as steps for its agents, runs them, checks and joins the outputs.",
    "tags": ["plan", "crew"],
}


def card(name: str, base_url: str, roster: AgentRoster | None, asks: bool) -> dict[str, Any]:
    """Return the card; each agent of the roster is a skill. `asks`: a token is needed."""
    made: dict[str, Any] = {
        "name": name,
        "description": "A crew of agents on hardware that its owner controls; "
        "a task that was accepted is never lost.",
        "version": VERSION,
        "supportedInterfaces": [
            {
                "url": f"{base_url}{PATH}",
                "protocolBinding": "JSONRPC",
                "protocolVersion": PROTOCOL,
            }
        ],
        "capabilities": {"streaming": False, "pushNotifications": False},
        "defaultInputModes": MODES,
        "defaultOutputModes": MODES,
        "skills": [PLAN, *_skills(roster)],
    }
    if asks:
        made["securitySchemes"] = {"token": {"httpAuthSecurityScheme": {"scheme": "Bearer"}}}
        made["securityRequirements"] = [{"schemes": {"token": {"list": []}}}]
    return made


def _skills(roster: AgentRoster | None) -> list[dict[str, Any]]:
    agents = roster.agents if roster is not None else ()
    return [
        {"id": each.name, "name": each.name, "description": each.description, "tags": ["agent"]}
        for each in agents
    ]
