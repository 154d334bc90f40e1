"""What a request needs: a role, or nothing. Whatever is not named needs the highest role.

Looking needs `view`; handing in and answering needs `submit`; what changes the house `operate`.
"""

from __future__ import annotations

from starlette.types import Scope

from shared.access import ROLES, Role

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

OPEN = (
    "/healthz", "/readyz", "/login", "/logout", "/match", "/.well-known/agent-card.json",
    "/dashboard/static", "/favicon.ico",
)  # fmt: skip
"""Doors without a lock: probes, the login itself, static files, and the clients' own page,
which has tokens of its own (`services/dashboard/client`)."""

SUBMIT = ("/tasks", "/attachments", "/sessions", "/a2a")
"""What somebody who hands in tasks may change; below `/dashboard` only files are sent."""

PAGES = "/dashboard"


def needed(scope: Scope) -> Role | None:
    """Return the least role for a request; None when everybody may."""
    path: str = scope["path"]
    if ".." in path.split("/"):
        return "operate"
    if any(_below(path, one) for one in OPEN):
        return None
    if scope["type"] == "websocket" or scope.get("method") in SAFE_METHODS:
        return "view"
    if path.startswith(f"{PAGES}/_nicegui_ws/"):
        return "view"
    if any(_below(path, one) for one in (*SUBMIT, PAGES)):
        return "submit"
    return "operate"


def covers(role: Role, wanted: Role) -> bool:
    """Tell whether `role` holds what `wanted` needs."""
    return ROLES.index(role) >= ROLES.index(wanted)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
