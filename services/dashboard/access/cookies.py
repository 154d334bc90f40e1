"""The cookie of a session: who, until when, signed with a key that never leaves this host.

`<payload>.<mac>`, both base64url; the payload is JSON and holds no secret. A new password ends
every session that began under the old one, since `stamp` is drawn from the hash.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

import orjson

from shared.access import private_folder, write_private

MOST_CHARACTERS = 1000


@dataclass(frozen=True)
class Pass:
    """What a valid cookie says. `until` is in seconds since 1970, `nonce` names the session."""

    name: str
    until: int
    nonce: str
    stamp: str


class Cookies:
    """Makes and reads cookies."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, held: Pass) -> str:
        """Return the cookie's value."""
        payload = _encode(orjson.dumps([held.name, held.until, held.nonce, held.stamp]))
        return f"{payload}.{self._mac(payload)}"

    def read(self, value: str) -> Pass | None:
        """Return what the cookie says; None for one that was not made here."""
        payload, _, mac = value[:MOST_CHARACTERS].partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(payload).encode()):
            return None
        try:
            name, until, nonce, stamp = orjson.loads(_decode(payload))
        except (ValueError, binascii.Error):
            return None
        return Pass(str(name), int(until), str(nonce), str(stamp))

    def _mac(self, payload: str) -> str:
        made = hmac.new(self._key, payload.encode(), hashlib.sha256).digest()
        return _encode(made)


def signing_key(path: Path) -> bytes:
    """Return the key in the file, made when it is not there; for its owner alone."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        private_folder(path)
        write_private(path, secrets.token_bytes(32))
        return path.read_bytes()


def stamp(password: str) -> str:
    """Return what changes with the password's hash and tells nothing about it."""
    return hashlib.sha256(password.encode()).hexdigest()[:16]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
