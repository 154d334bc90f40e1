"""What may come in: known hosts, no foreign pages, JSON alone, no endless bodies. Plain ASGI.

A page of another site that was made to resolve to this address (DNS rebinding) still names itself
in `Host`; a form of another site names itself in `Origin`, or at least is no JSON. All are
refused. A caller that hangs up in the middle of its body ends its own request, quietly.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.dashboard.door import errors
from shared.errors import InvalidInput, Refused, SovereignError

log = logging.getLogger(__name__)

BODY_LIMIT = 2 * 1024 * 1024
UPLOAD_LIMIT = 64 * 1024 * 1024
PAGES = "/dashboard"
LIVE = f"{PAGES}/_nicegui_ws/"
"""What pages are fed through; over plain requests too, which the library opens to every site."""
FORMS = (f"{PAGES}/", "/login", "/logout", "/match/")
"""What our own pages send is no JSON; their browser names its `Origin`, which is checked."""
FILES = "/attachments"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CONTENT_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval';"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
    " connect-src 'self' ws: wss:; object-src 'none'; base-uri 'self'; form-action 'self';"
    " frame-ancestors 'none'"
)
"""The browser itself refuses whatever a page would load from outside."""

HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
"""`no-referrer` would have browsers send our own forms, the login too, with `Origin: null`."""

TLS_ONLY = (b"strict-transport-security", b"max-age=31536000")


class TooLarge(InvalidInput):
    """The body is larger than the door takes."""

    code = "too_large"
    http_status = 413


class WrongMedia(InvalidInput):
    """The body says that it is something else than JSON."""

    code = "wrong_media_type"
    http_status = 415


class Guard:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through, or answer with the reason."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope)
        if problem is not None:
            await errors.refuse(problem, scope, receive, send)
            return
        if scope["path"] == PAGES:
            scope = {**scope, "path": PAGES + "/", "raw_path": PAGES.encode() + b"/"}
        await self._limited(scope, receive, send)

    def _problem(self, scope: Scope) -> SovereignError | None:
        headers = Headers(scope=scope)
        host = _hostname(f"//{headers.get('host', '')}")
        if host not in self._hosts:
            return Refused(f"Host {host!r} is not this dashboard"[:200], field="Host")
        if _changes(scope) and not _same_site(headers):
            return Refused("a page of another site may not do that", field="Origin")
        if not _readable(scope, headers):
            kind = headers["content-type"]
            line = f"Content-Type {kind!r} is not taken; send application/json"
            return WrongMedia(line[:300], field="Content-Type")
        if _declared(headers) > _limit(scope):
            return TooLarge(f"the body has more than {_limit(scope)} bytes", field="body")
        return None

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with a body that ends at the limit."""
        taken = 0
        started = False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > _limit(scope):
                raise TooLarge(f"the body has more than {_limit(scope)} bytes", field="body")
            return message

        async def labelled(message: Message) -> None:
            nonlocal started
            started = True
            if message["type"] == "http.response.start":
                more = (*HEADERS, TLS_ONLY) if scope["scheme"] == "https" else HEADERS
                message = {**message, "headers": [*message.get("headers", []), *more]}
            await send(message)

        try:
            await self._app(scope, counted, labelled)
        except ClientDisconnect:
            log.debug("%s: the caller hung up in the middle of its body", scope["path"])
        except TooLarge as error:
            if started:
                raise
            await errors.refuse(error, scope, receive, send)


def _changes(scope: Scope) -> bool:
    """Tell whether a request may change something, or feeds a page."""
    fed = scope["type"] == "websocket" or scope["path"].startswith(LIVE)
    return fed or scope.get("method") not in SAFE_METHODS


def _same_site(headers: Headers) -> bool:
    """Tell whether a request comes from our own page, or from no page at all (curl)."""
    if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        return False
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def _readable(scope: Scope, headers: Headers) -> bool:
    """Tell whether a body is JSON or does not say what it is; pages take what their forms send."""
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    path = scope["path"]
    if scope.get("method") != "POST" or path == PAGES or path.startswith(FORMS):
        return True
    if path == FILES:
        return kind == "application/octet-stream"
    return kind == "application/json"


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdigit() else 0


def _limit(scope: Scope) -> int:
    large = scope["path"] == FILES or scope["path"].startswith(f"{PAGES}/_nicegui")
    return UPLOAD_LIMIT if large else BODY_LIMIT
