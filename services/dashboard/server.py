"""Serves the application inside this process's own loop; signals stay with the service."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator

import anyio
import uvicorn
from starlette.types import ASGIApp

from shared.errors import InvalidSetting
from shared.settings import DashboardSettings

HOST = "SOVEREIGN_DASHBOARD__HOST"
PORT = "SOVEREIGN_DASHBOARD__PORT"
GRACE_S = 2


class Server(uvicorn.Server):
    """A server that leaves SIGTERM and SIGINT to `shared.service` and tells when it listens."""

    def __init__(self, config: uvicorn.Config, listening: anyio.Event) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self._listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


def claim(settings: DashboardSettings) -> socket.socket:
    """Return the bound socket; `InvalidSetting` names the variable of a bad host or taken port."""
    refuse_public(settings.host)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((settings.host, settings.port))
    except OSError as error:
        bound.close()
        raise InvalidSetting(_taken(settings, error), field=PORT) from error
    return bound


def refuse_public(host: str) -> None:
    """Raise for an address that others could reach: there is no login yet."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InvalidSetting(
            f"{HOST}={host}: the dashboard has no login yet, so it binds to loopback only"
            " (127.0.0.1); reach it from elsewhere through an SSH tunnel",
            field=HOST,
        )


async def serve(
    app: ASGIApp, bound: socket.socket, stop: anyio.Event, started: anyio.Event
) -> None:
    """Serve until `stop`; set `started` when requests are answered."""
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False,
        timeout_graceful_shutdown=GRACE_S, server_header=False, proxy_headers=False,
        ws_max_size=16 * 1024 * 1024,
    )  # fmt: skip
    server = Server(config, started)

    async def watch() -> None:
        await stop.wait()
        server.should_exit = True

    with contextlib.closing(bound):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await server.serve(sockets=[bound])
            tasks.cancel_scope.cancel()


def _taken(settings: DashboardSettings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    return f"{PORT}={settings.port}: {where} cannot be bound ({error.strerror}); choose another"
