"""Who may come in: keys and their rates, and no pages of other sites."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from services.router import names
from services.router.door.call import Call
from services.router.door.errors import Foreign, TooMany, Unauthorized
from shared.settings import RouterSettings

MINUTE_S = 60.0
BURST_S = 10.0
"""A key that was quiet may ask at once for what its rate gives in so long."""


class Bucket:
    """`rate` a minute, with a burst; refills while nobody asks."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._room = max(1.0, rate * BURST_S / MINUTE_S)
        self._level = self._room
        self._at = clock()

    def take(self) -> None:
        """Take one; raise `TooMany` with the seconds until there is one."""
        now = self._clock()
        gained = (now - self._at) * self._rate / MINUTE_S
        self._level = min(self._room, self._level + gained)
        self._at = now
        if self._level < 1:
            raise TooMany(self._rate, round((1 - self._level) * MINUTE_S / self._rate, 2))
        self._level -= 1


class Access:
    """The keys by their digest, so that a look-up tells nothing about them by its time."""

    def __init__(self, settings: RouterSettings) -> None:
        self._names = {
            _digest(key.get_secret_value().encode()): name
            for name, key in settings.door_keys.items()
        }
        self._rate = settings.door_rate
        self._buckets = {name: Bucket(self._rate) for name in self._names.values()}
        self._nobody = Bucket(self._rate)

    def enter(self, call: Call) -> str | None:
        """Return the name of the caller's key, None where no keys are set; or raise."""
        if not self._names:
            _refuse_foreign(call)
            name = None
        else:
            name = self._names.get(_digest(_key(call)))
            if name is None:
                raise Unauthorized
        if self._rate:
            (self._buckets[name] if name else self._nobody).take()
        return name


def _key(call: Call) -> bytes:
    """Return the key as OpenAI's clients (`Authorization`) or Anthropic's (`x-api-key`) send it."""
    kind, _, value = call.headers.get(b"authorization", b"").partition(b" ")
    return value.strip() if kind.lower() == b"bearer" else call.headers.get(b"x-api-key", b"")


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _refuse_foreign(call: Call) -> None:
    """Keep out what a browser sends for a foreign page: it may reach loopback, its user may not
    have meant it. Names that lead here from elsewhere (DNS rebinding) count as foreign too."""
    host = call.headers.get(b"host", b"").decode("latin-1")
    origin = call.headers.get(b"origin", b"").decode("latin-1")
    if not _is_own(f"//{host}"):
        raise Foreign(f"Host {host[:100]} is not a name of this host", field="Host")
    if origin and (not _is_own(origin) or origin == "null"):
        raise Foreign(f"pages of {origin[:100]} may not ask here", field="Origin")
    if call.headers.get(b"sec-fetch-site") == b"cross-site":
        raise Foreign("pages of other sites may not ask here", field="Sec-Fetch-Site")


def _is_own(url: str) -> bool:
    try:
        return bool(urlsplit(url).hostname) and names.is_own(url)
    except ValueError:
        return False
