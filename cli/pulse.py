"""`python -m cli.pulse SERVICE`: leaves with 0 when this host's own service beats on the bus.

Made for container health checks that run every few seconds: the few words of the protocol that
it takes are spoken over a plain socket, which costs a twentieth of the whole client. A server
that wants TLS or a key is left to the client.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

WAIT_S = 4.0
"""Seconds to hear one beat: they come every second."""

ALIVE = ("ready", "draining")


class WantsMoreError(Exception):
    """The server asks for TLS or a key."""


def main(arguments: list[str]) -> int:
    """Return 0 when a beat of the named service came from this host, else 1 with a line."""
    service = arguments[0] if arguments else ""
    subject = f"health.beat.{service}.*"
    url = os.environ.get("SOVEREIGN_NATS__URL", "nats://127.0.0.1:4222").split(",")[0]
    try:
        heard = hear(url, subject, own_host())
    except WantsMoreError:
        heard = hear_with_client(subject, own_host())
    except OSError as error:
        return _fail(service, f"{url}: {error}")
    return 0 if heard else _fail(service, f"no beat of {own_host()} in {WAIT_S:g} s")


def own_host() -> str:
    """Return what this host's services call it: the setting, else the machine's name."""
    return os.environ.get("SOVEREIGN_HOST") or socket.gethostname().split(".")[0]


def hear(url: str, subject: str, host: str) -> bool:
    """Tell whether a living beat of `host` came in time; raise `OSError` without a server."""
    parts = urlsplit(url)
    if parts.scheme not in ("nats", "") or parts.username:
        raise WantsMoreError
    end = time.monotonic() + WAIT_S
    address = (parts.hostname or "127.0.0.1", parts.port or 4222)
    with socket.create_connection(address, timeout=WAIT_S) as bus:
        try:
            return any(_is_alive(beat, host) for beat in _beats(bus, subject, end))
        except TimeoutError:
            return False


def _beats(bus: socket.socket, subject: str, end: float) -> Iterator[dict[str, Any]]:
    """Subscribe and yield the beats that come until `end`."""
    reader = bus.makefile("rb")
    info = json.loads(reader.readline().removeprefix(b"INFO ") or b"{}")
    if info.get("tls_required") or info.get("auth_required"):
        raise WantsMoreError
    bus.sendall(b'CONNECT {"verbose":false,"headers":true}\r\nSUB %b 1\r\n' % subject.encode())
    while (left := end - time.monotonic()) > 0:
        bus.settimeout(left)
        words = reader.readline().split()
        if not words:
            raise OSError("the server closed the connection")
        if words[0] == b"PING":
            bus.sendall(b"PONG\r\n")
        elif words[0] in (b"MSG", b"HMSG"):
            data = reader.read(int(words[-1]) + 2)
            yield json.loads(data[int(words[-2]) if words[0] == b"HMSG" else 0 :])


def hear_with_client(subject: str, host: str) -> bool:
    """Tell the same by the whole client, with the settings' key and certificates."""
    import asyncio

    from shared.bus import Bus, open_bus
    from shared.settings import load

    async def listen(bus: Bus) -> bool:
        beats = await bus.nc.subscribe(subject)
        async for message in beats.messages:
            if _is_alive(json.loads(message.data), host):
                return True
        return False

    async def connect() -> bool:
        async with open_bus(load(), "pulse") as bus:
            try:
                return await asyncio.wait_for(listen(bus), WAIT_S)
            except TimeoutError:
                return False

    return asyncio.run(connect())


def _is_alive(beat: dict[str, Any], host: str) -> bool:
    return beat.get("host") == host and beat.get("state") in ALIVE


def _fail(service: str, line: str) -> int:
    sys.stderr.write(f"sovereign {service}: {line}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
