"""Who sits at the page: the token in the cookie, the mark in each form, limits on both.

The cookie holds the token itself, unreadable for scripts; match looks it up at every request, so
a revocation counts at once. Each form carries a mark made from the token, which no other site
knows, beside the check of `Origin` that the guard makes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from urllib.parse import parse_qs

from fastapi import Request
from fastapi.responses import Response

from services.dashboard.access.limits import ATTEMPTS_OF_ADDRESS, MOST_KEYS, Attempts, Pace
from shared.access import digest
from shared.errors import InvalidInput, Refused

PATH = "/match"
DAYS = 30
RATE = 5
"""Requests a second of one party; a ranking may cost match a hundredth of a second."""
MARK = "form"
"""The form field that carries the mark."""
MOST_FIELDS = 60
BODY_LIMIT = 300_000
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


class Seats:
    """The present holders, as far as they came by; bounded memory."""

    def __init__(self, port: int) -> None:
        self.cookie = f"sovereign_match_{port}"
        self._attempts = Attempts()
        self._pace = Pace(RATE)
        self._known: OrderedDict[str, None] = OrderedDict()

    def token(self, request: Request) -> str | None:
        """Return the token of the cookie; None without one. Raises `TooMany`, `Refused`."""
        token = request.cookies.get(self.cookie)
        return None if token is None else self.admit(request, token)

    def admit(self, request: Request, token: str) -> str:
        """Let a token pass that may be one; who fails too often is told to wait."""
        known = digest(token) in self._known
        if not known:
            self._attempts.check(_address(request), ATTEMPTS_OF_ADDRESS)
        if not _TOKEN.fullmatch(token):
            self.failed(request, token)
            raise Refused("token: it is not known here, or was revoked", field="token")
        self._pace.take(digest(token) if known else _address(request))
        return token

    def welcome(self, token: str) -> None:
        """Remember a token that match knows: others' failures at its address do not stop it."""
        self._known[digest(token)] = None
        self._known.move_to_end(digest(token))
        while len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)

    def failed(self, request: Request, token: str) -> None:
        """Count a token that match does not know."""
        self._known.pop(digest(token), None)
        self._attempts.fail(_address(request))

    def seat(self, request: Request, answer: Response, token: str) -> Response:
        """Set the cookie."""
        answer.set_cookie(
            self.cookie, token, max_age=DAYS * 86_400, path=PATH, httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip
        return answer

    def leave(self, answer: Response) -> Response:
        """Take the cookie away."""
        answer.delete_cookie(self.cookie, path=PATH, httponly=True, samesite="lax")
        return answer


def mark(token: str) -> str:
    """Return what each form of a token's holder carries."""
    return hmac.new(token.encode(), b"form of the page /match", hashlib.sha256).hexdigest()


async def fields(request: Request) -> dict[str, str]:
    """Return the fields of a form; the last of each name. Raises `InvalidInput` when too large."""
    body = await request.body()
    if len(body) > BODY_LIMIT:
        raise InvalidInput("the form is too large", field="body")
    try:
        found = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise InvalidInput("the form cannot be read", field="body") from error
    return {name: values[-1].replace("\r\n", "\n").strip() for name, values in found.items()}


def check_mark(token: str, given: dict[str, str]) -> None:
    """Raise `Refused` unless the form was made by our own page for this very holder."""
    if not hmac.compare_digest(given.get(MARK, "").encode(), mark(token).encode()):
        raise Refused("this form is not from this page; open it again", field=MARK)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"
