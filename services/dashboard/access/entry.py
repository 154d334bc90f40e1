"""Lets a request in, or says why not. Plain ASGI, so that websockets pass here too."""

from __future__ import annotations

from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from services.dashboard.access import rules
from services.dashboard.access.gate import Gate, Unauthorized, Who, address
from services.dashboard.access.limits import Pace
from services.dashboard.door import errors
from services.dashboard.server import is_public
from shared.errors import Refused, SovereignError
from shared.settings import DashboardSettings

LOGIN = "/login"


class Entry:
    """Wraps the application; sets `who` in the scope of what it lets in."""

    def __init__(self, app: ASGIApp, gate: Gate, settings: DashboardSettings) -> None:
        self._app = app
        self._gate = gate
        self._pace = Pace(settings.rate)
        self._needs_tls = is_public(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or answer with the reason."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        try:
            who = self._let_in(scope)
        except Unauthorized as error:
            await _send_to_login(error, scope, receive, send)
        except SovereignError as error:
            await errors.refuse(error, scope, receive, send)
        else:
            await self._app({**scope, "who": who}, receive, send)

    def _let_in(self, scope: Scope) -> Who | None:
        need = rules.needed(scope)
        if self._needs_tls and scope["scheme"] in ("http", "ws") and need is not None:
            raise Refused("this door is opened with TLS only", field="scheme")
        if need is None:
            return None
        who = self._gate.who(scope)
        if who is None:
            raise Unauthorized("log in at /login, or send `Authorization: Bearer TOKEN`")
        paced = scope["type"] == "http" and not scope["path"].startswith(rules.PAGES)
        if who.kind != "owner" and paced:  # one page alone is dozens of requests
            self._pace.take(f"{who.kind} {who.name} {address(scope)}")
        if not who.may(need):
            raise Refused(f"{who.name} may {who.role}; this needs {need}", field="role")
        return who


async def _send_to_login(error: Unauthorized, scope: Scope, receive: Receive, send: Send) -> None:
    """Show people the login; tell programs that a token is missing."""
    accepts = Headers(scope=scope).get("accept", "")
    if scope["type"] == "websocket" or scope["method"] != "GET" or "text/html" not in accepts:
        if scope["type"] == "websocket":
            await errors.refuse(error, scope, receive, send)
            return
        answer: Response = errors.response(error)
        answer.headers["WWW-Authenticate"] = "Bearer"
    else:
        query = scope.get("query_string", b"").decode("latin-1")
        wanted = scope["path"] + (f"?{query}" if query else "")
        answer = RedirectResponse(f"{LOGIN}?next={quote(wanted)}", 303)
    await answer(scope, receive, send)
