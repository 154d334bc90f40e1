"""Serves the application inside this process's own loop; signals stay with the service."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import anyio
import uvicorn
from starlette.types import ASGIApp

from shared import listen
from shared.errors import InvalidSetting
from shared.listen import is_address, is_loopback
from shared.settings import DashboardSettings

HOST = "SOVEREIGN_DASHBOARD__HOST"
PORT = "SOVEREIGN_DASHBOARD__PORT"
TLS = "SOVEREIGN_DASHBOARD__TLS"
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


def claim(settings: DashboardSettings, *, guarded: bool = False) -> socket.socket:
    """Return the bound socket; `InvalidSetting` names the variable of a bad host or taken port.

    `guarded` tells that somebody is named who may enter: without that, loopback only.
    """
    refuse_public(settings, guarded=guarded)
    _check_files(settings)
    try:
        return listen.bound(settings.host, settings.port)
    except OSError as error:
        raise InvalidSetting(_taken(settings, error), field=PORT) from error


def is_public(settings: DashboardSettings) -> bool:
    """Tell whether others than this host may come: by the address, a proxy or another name."""
    return not is_loopback(settings.host) or bool(settings.proxies or settings.hosts)


def refuse_public(settings: DashboardSettings, *, guarded: bool) -> None:
    """Raise for a door that others could reach without a login, or without TLS."""
    if not is_public(settings):
        return
    host = settings.host
    if not (is_address(host) or host == "localhost"):
        raise InvalidSetting(f"{HOST}={host}: give an IP address or localhost", field=HOST)
    if not guarded:
        raise InvalidSetting(
            f"{HOST}={host}: others could come in, and nobody is named who may: add somebody"
            " with `sovereign access add NAME --role operate`, or bind to 127.0.0.1",
            field=HOST,
        )
    if not (settings.tls_cert and settings.tls_key) and not settings.proxies:
        raise InvalidSetting(
            f"{HOST}={host}: passwords would travel in clear: set SOVEREIGN_DASHBOARD__TLS_CERT"
            " and __TLS_KEY, or name the proxy that ends TLS in SOVEREIGN_DASHBOARD__PROXIES",
            field="SOVEREIGN_DASHBOARD__TLS_CERT",
        )


def _check_files(settings: DashboardSettings) -> None:
    """Raise unless certificate and key are both there, or neither is named."""
    given = {f"{TLS}_CERT": settings.tls_cert, f"{TLS}_KEY": settings.tls_key}
    for name, path in given.items():
        if path is None and any(given.values()):
            raise InvalidSetting(f"{name}: set both, certificate and key", field=name)
        if path is not None and not path.is_file():
            raise InvalidSetting(f"{name}={path}: no such file", field=name)


async def serve(
    app: ASGIApp,
    bound: socket.socket,
    stop: anyio.Event,
    started: anyio.Event,
    settings: DashboardSettings | None = None,
) -> None:
    """Serve until `stop`; set `started` when requests are answered."""
    server = Server(_config(app, settings or DashboardSettings()), started)

    async def watch() -> None:
        await stop.wait()
        server.should_exit = True

    with contextlib.closing(bound):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            await server.serve(sockets=[bound])
            tasks.cancel_scope.cancel()


def _config(app: ASGIApp, settings: DashboardSettings) -> uvicorn.Config:
    """Return how to serve; what a proxy says of its caller is believed of named proxies only."""
    return uvicorn.Config(
        app, log_config=None, log_level="warning", access_log=False,
        timeout_graceful_shutdown=GRACE_S, server_header=False,
        proxy_headers=bool(settings.proxies), forwarded_allow_ips=list(settings.proxies),
        ssl_certfile=settings.tls_cert, ssl_keyfile=settings.tls_key,
        ws_max_size=16 * 1024 * 1024,
    )  # fmt: skip


def _taken(settings: DashboardSettings, error: OSError) -> str:
    where = f"{settings.host}:{settings.port}"
    return f"{PORT}={settings.port}: {where} cannot be bound ({error.strerror}); choose another"
