"""Calls a person by an HTTP POST: signed, tried again, and free of secrets.

The body is signed as GitHub and others do: `X-Sovereign-Signature: sha256=<hex HMAC>` over the
timestamp header, a dot, and the exact bytes of the body.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import logging
import random
import re
import ssl
import time
from collections import deque
from urllib.parse import urlsplit

import anyio
import orjson

from shared.events.ops import OpsEvent
from shared.settings import OpsSettings

log = logging.getLogger(__name__)

TRIES = 5
BASE_S = 0.5
WAIT_S = 5.0
ROOM = 100
"""Calls that wait at most; beyond it the oldest is given up."""

_SECRETS = (
    (re.compile(r"(?i)\b(sk|pk|ghp|gho|xox[abp])[-_][\w-]{8,}"), "[secret]"),
    (re.compile(r"\bS[UAONCX][A-Z2-7]{50,}\b"), "[secret]"),
    (re.compile(r"(?i)(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 [secret]"),
    (re.compile(r"(?i)([\w-]*(?:password|passwd|secret|token|api_?key)[\w-]*\s*[=:]\s*)\S+"),
     r"\1[secret]"),
    (re.compile(r"(://)[^/\s@]+@"), r"\1[secret]@"),
)  # fmt: skip


def redacted(text: str) -> str:
    """Return `text` without what looks like a key, a token, a password or a login in a URL."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def body_of(event: OpsEvent) -> bytes:
    """Return what leaves the host: who, what, where, when; no evidence, no secrets."""
    said = {
        "id": event.event_id,
        "kind": event.kind,
        "service": event.service,
        "instance": event.instance,
        "host": event.host,
        "symptom": event.symptom,
        "remedy": event.remedy,
        "cause": redacted(event.cause),
        "at": event.at.isoformat(),
    }
    return orjson.dumps(said)


def signature(secret: bytes, stamp: str, body: bytes) -> str:
    """Return the value of the signature header."""
    return "sha256=" + hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """Sends in order, each up to `TRIES` times with full jitter."""

    def __init__(self, url: str, secret: bytes, chance: random.Random | None = None) -> None:
        self._url = url
        self._secret = secret
        self._chance = chance or random.Random()
        self._waiting: deque[bytes] = deque(maxlen=ROOM)
        self._more = anyio.Event()
        self.sent = 0
        self.failed = 0

    def call(self, event: OpsEvent) -> None:
        """Take one; never waits."""
        self._waiting.append(body_of(event))
        self._more.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self._more.wait()
            self._more = anyio.Event()
            while self._waiting:
                await self._deliver(self._waiting.popleft())

    async def _deliver(self, body: bytes) -> None:
        for number in range(TRIES):
            if await asyncio.to_thread(self._post, body):
                self.sent += 1
                return
            await asyncio.sleep(self._chance.uniform(0.0, BASE_S * 2.0**number))
        self.failed += 1
        log.error("webhook: nobody took a call after %d tries", TRIES)

    def _post(self, body: bytes) -> bool:
        """Send once; 2xx is taken, 4xx (but 429) will never be: there trying again is vain."""
        stamp = str(int(time.time()))
        headers = {"Content-Type": "application/json", "X-Sovereign-Timestamp": stamp}
        if self._secret:
            headers["X-Sovereign-Signature"] = signature(self._secret, stamp, body)
        connection = _connection(self._url)
        try:
            connection.request("POST", _path(self._url), body, headers)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            log.warning("webhook: %s", type(error).__name__)
            return False
        finally:
            connection.close()
        if 400 <= status < 500 and status != 429:
            log.error("webhook: refused with %d", status)
            return True
        return status < 300


def _connection(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=WAIT_S, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=WAIT_S)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def webhook(settings: OpsSettings) -> Webhook | None:
    """Return the webhook of the settings, if one is set."""
    if settings.webhook_url is None:
        return None
    secret = settings.webhook_secret
    return Webhook(settings.webhook_url, secret.get_secret_value().encode() if secret else b"")
