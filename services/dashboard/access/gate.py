"""Tells who is there: a person with a cookie, a program with a token, or nobody.

While the access file names nobody and the dashboard is on loopback alone, whoever comes is the
owner. The file is read anew when it changes, so a removal counts at the next request.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio
import orjson
from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from services.dashboard.access import rules
from services.dashboard.access.cookies import Cookies, Pass, signing_key, stamp
from services.dashboard.access.limits import ATTEMPTS, ATTEMPTS_OF_ADDRESS, Attempts
from services.dashboard.server import is_public
from shared import access
from shared.access import MOST_PASSWORD, Access, Role
from shared.errors import InvalidSetting, Refused, Unavailable
from shared.settings import Settings

AT_ONCE = 2
"""Passwords that are checked at the same time: each takes 64 MiB for a moment."""


class Unauthorized(Refused):
    """Nobody is logged in, or the token is not known."""

    code = "unauthorized"
    http_status = 401


@dataclass(frozen=True)
class Who:
    """Somebody who came in. `kind` tells how."""

    name: str
    role: Role
    kind: Literal["owner", "person", "token"]

    def may(self, wanted: Role) -> bool:
        """Tell whether the role of this one holds `wanted`."""
        return rules.covers(self.role, wanted)


OWNER = Who("owner", "operate", "owner")


class Gate:
    """The present access file, the cookies, and the failed attempts."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings.dashboard
        self._file = access.file_of(settings)
        self._clock = clock
        self._read_at: tuple[int, int] | None = None
        self._access = Access()
        self._cookies: Cookies | None = None
        self._ended = _Ended(self._file.with_name("ended.json"))
        self._room = anyio.CapacityLimiter(AT_ONCE)
        self.attempts = Attempts()
        self.cookie_name = f"sovereign_{settings.dashboard.port}"

    @property
    def access(self) -> Access:
        """Who may enter, as the file tells now; `Unavailable` when it cannot be read."""
        try:
            found = self._file.stat()
            mark = (found.st_mtime_ns, found.st_ino)
        except FileNotFoundError:
            mark = None
        except OSError as error:
            raise Unavailable(f"who may enter cannot be read: {error.strerror}") from error
        if mark != self._read_at:
            try:
                self._access = access.read(self._file)
            except InvalidSetting as error:
                raise Unavailable(f"who may enter cannot be read: {error.message}") from error
            self._read_at = mark
        return self._access

    @property
    def asks(self) -> bool:
        """Tell whether one must say who one is."""
        known = self.access
        return bool(known.people or known.keys) or is_public(self._settings)

    def who(self, scope: Scope) -> Who | None:
        """Return who sends this request; None for nobody. Raises `TooMany` after bad tokens."""
        if not self.asks:
            return OWNER
        headers = Headers(scope=scope)
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._program(secret.strip(), address(scope))
        cookie = cookie_parser(headers.get("cookie", "")).get(self.cookie_name, "")
        return self._person(cookie)

    async def enter(self, name: str, password: str, where: str) -> str:
        """Return the cookie of a person who gives the right password; else `Unauthorized`.

        An unknown name takes as long as a wrong password and is told the same.
        """
        narrow = f"{where} {name[:64]}"
        self.attempts.check(narrow, ATTEMPTS)
        self.attempts.check(where, ATTEMPTS_OF_ADDRESS)
        person = self.access.person(name)
        kept = person.password if person else _nobody()
        right = await anyio.to_thread.run_sync(_verify, kept, password, limiter=self._room)
        if person is None or not right:
            self.attempts.fail(narrow)
            self.attempts.fail(where)
            raise Unauthorized("the name or the password is wrong", field="password")
        self.attempts.forgive(narrow)
        until = int(self._clock() + self._settings.session_h * 3600)
        held = Pass(person.name, until, secrets.token_hex(8), stamp(person.password))
        return self._signer().write(held)

    def leave(self, cookie: str) -> None:
        """End the session of a cookie for good, on every machine that holds a copy."""
        held = self._signer().read(cookie)
        if held is not None:
            self._ended.add(held.nonce, held.until, self._clock())

    def cookie_of(self, scope: Scope) -> str:
        """Return the value of our cookie in a request, or nothing."""
        return cookie_parser(Headers(scope=scope).get("cookie", "")).get(self.cookie_name, "")

    def _person(self, cookie: str) -> Who | None:
        held = self._signer().read(cookie) if cookie else None
        if held is None or held.until <= self._clock() or held.nonce in self._ended:
            return None
        person = self.access.person(held.name)
        if person is None or not hmac.compare_digest(held.stamp, stamp(person.password)):
            return None
        return Who(person.name, person.role, "person")

    def _program(self, secret: str, where: str) -> Who | None:
        self.attempts.check(f"token {where}", ATTEMPTS_OF_ADDRESS)
        digest = access.digest(secret)
        for key in self.access.keys:
            fresh = key.until is None or key.until.timestamp() > self._clock()
            if hmac.compare_digest(key.digest, digest) and fresh:
                return Who(key.name, key.role, "token")
        self.attempts.fail(f"token {where}")
        return None

    def _signer(self) -> Cookies:
        if self._cookies is None:
            self._cookies = Cookies(signing_key(self._file.with_name("session.key")))
        return self._cookies


class _Ended:
    """Sessions that were ended before their time, kept over a restart until they would expire."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._until: dict[str, int] | None = None

    def __contains__(self, nonce: str) -> bool:
        return nonce in self._known()

    def add(self, nonce: str, until: int, at: float) -> None:
        """Add one and forget those whose time is over anyway."""
        kept = {one: end for one, end in self._known().items() if end > at}
        self._until = {**kept, nonce: until}
        access.private_folder(self._path)
        access.write_private(self._path, orjson.dumps(self._until))

    def _known(self) -> dict[str, int]:
        if self._until is None:
            try:
                self._until = dict(orjson.loads(self._path.read_bytes()))
            except (OSError, ValueError):
                self._until = {}
        return self._until


def address(scope: Scope) -> str:
    """Return the address of the other side, as far as it is known."""
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _verify(kept: str, password: str) -> bool:
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return bool(access.hasher().verify(kept, password[:MOST_PASSWORD]))
    except (VerificationError, InvalidHashError):
        return False


_NOBODY: list[str] = []


def _nobody() -> str:
    """Return a hash that no password fits, so that an unknown name costs the same time."""
    if not _NOBODY:
        _NOBODY.append(access.hasher().hash(secrets.token_hex(16)))
    return _NOBODY[0]
