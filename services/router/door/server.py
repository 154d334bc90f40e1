"""Holds the door open inside this process's own loop; a taken port costs the door alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from services.router.door.packet import Gathering
from shared import listen
from shared.errors import InvalidSetting
from shared.listen import is_loopback
from shared.settings import RouterSettings

if TYPE_CHECKING:
    from uvicorn.server import ServerState

    from services.router.door.app import Door

log = logging.getLogger(__name__)

HOST = "SOVEREIGN_ROUTER__DOOR_HOST"
PORT = "SOVEREIGN_ROUTER__DOOR_PORT"
GRACE_S = 5.0
"""How long answers in hand may go on when the service is told to stop."""
BACKLOG = 1024
KEEP_ALIVE_S = 75
"""Longer than the pools of common clients keep a connection, so that they close it, not we."""


def claim(settings: RouterSettings) -> socket.socket | None:
    """Return the bound socket; None, with one line in the log, when the port is taken or 0.

    An address that others can reach needs keys, else `InvalidSetting`.
    """
    if settings.door_port == 0:
        return None
    if not settings.door_keys and not is_loopback(settings.door_host):
        line = f"{HOST}={settings.door_host}: others could reach it, so it needs"
        raise InvalidSetting(f"{line} SOVEREIGN_ROUTER__DOOR_KEYS", field=HOST)
    try:
        return listen.bound(settings.door_host, settings.door_port)
    except OSError as error:
        where = f"{settings.door_host}:{settings.door_port}"
        log.warning("no door: %s (%s); %s chooses another port", where, error.strerror, PORT)
        return None


@contextlib.asynccontextmanager
async def open_door(app: Door, settings: RouterSettings) -> AsyncIterator[None]:
    """Answer while the body runs; a door that is shut or whose port is taken answers nobody."""
    claimed = claim(settings)
    if claimed is None:
        yield
        return
    host = f"[{settings.door_host}]" if ":" in settings.door_host else settings.door_host
    app.url = f"http://{host}:{settings.door_port}/v1"
    async with serving(app, claimed):
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, bound: socket.socket) -> AsyncIterator[None]:
    """Answer at `bound` while the body runs; what is in hand then has `GRACE_S` to end.

    uvicorn's protocol without its server, which would take the signals and wake up ten times a
    second.
    """
    import uvicorn  # for those who open the door: it costs time and memory
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    from uvicorn.server import ServerState

    config = uvicorn.Config(
        app, http="httptools", ws="none", lifespan="off", log_config=None, log_level="warning",
        access_log=False, server_header=False, date_header=False, proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
    )  # fmt: skip
    config.load()
    state = ServerState()

    class Connection(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(Gathering(transport))

    def connected() -> asyncio.Protocol:
        return Connection(config=config, server_state=state, app_state={})

    loop = asyncio.get_running_loop()
    listener = await loop.create_server(connected, sock=bound, backlog=BACKLOG)
    try:
        yield
    finally:
        listener.close()
        await _leave(state)


async def _leave(state: ServerState) -> None:
    """Let answers in hand end, then hang up."""
    for connection in tuple(state.connections):
        connection.shutdown()
    if state.tasks:
        _, late = await asyncio.wait(tuple(state.tasks), timeout=GRACE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
    for connection in tuple(state.connections):
        connection.transport.abort()
