"""A thin client of a Docker Engine: HTTP over its unix socket, a few calls, no library.

The calls are those of the Engine API that every engine since 20.10 answers (version 1.41).
"""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from shared.errors import NotFound, Unavailable

API = "/v1.41"
WAIT_S = 30.0
LABEL = "sovereign.service"


@dataclass(frozen=True)
class Container:
    """One container that carries the label: its service, its host name, how it is."""

    id: str
    service: str
    hostname: str
    running: bool
    exit_code: int
    started_at: str
    restarts: int


class _Connection(http.client.HTTPConnection):
    """HTTP to a unix socket."""

    def __init__(self, path: Path, wait_s: float) -> None:
        super().__init__("localhost", timeout=wait_s)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Engine:
    """Calls block: run them in a thread. `Unavailable` when no engine answers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def containers(self) -> list[Container]:
        """Return every container, running or not, that carries the label."""
        wanted = orjson.dumps({"label": [LABEL]}).decode()
        query = urlencode({"all": "true", "filters": wanted})
        listed = self._call("GET", f"/containers/json?{query}")
        found = []
        for one in listed if isinstance(listed, list) else []:
            try:
                found.append(self._inspect(str(one["Id"])))
            except NotFound:
                continue  # it was removed meanwhile
        return found

    def restart(self, container: str, grace_s: float) -> None:
        """Restart it: SIGTERM, and SIGKILL after `grace_s` seconds."""
        wait_s = grace_s + WAIT_S
        self._call("POST", f"/containers/{_id(container)}/restart?t={round(grace_s)}", wait_s)

    def stop(self, container: str, grace_s: float) -> None:
        """Stop it; its restart policy does not bring it back."""
        wait_s = grace_s + WAIT_S
        self._call("POST", f"/containers/{_id(container)}/stop?t={round(grace_s)}", wait_s)

    def signal(self, container: str, name: str) -> None:
        """Send it a signal by name."""
        self._call("POST", f"/containers/{_id(container)}/kill?signal={quote(name)}")

    def _inspect(self, container: str) -> Container:
        said = self._call("GET", f"/containers/{_id(container)}/json")
        state, config = said["State"], said["Config"]
        return Container(
            id=str(said["Id"]),
            service=str(config["Labels"][LABEL]),
            hostname=str(config["Hostname"]),
            running=bool(state["Running"]),
            exit_code=int(state.get("ExitCode", 0)),
            started_at=str(state.get("StartedAt", "")),
            restarts=int(said.get("RestartCount", 0)),
        )

    def _call(self, method: str, path: str, wait_s: float = WAIT_S) -> Any:
        """Return the JSON of the answer, None for none; 304 means that it is so already."""
        connection = _Connection(self._path, wait_s)
        try:
            connection.request(method, API + path, headers={"Content-Length": "0"})
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            reason = error if str(error) else type(error).__name__
            raise Unavailable(f"no Docker engine at {self._path}: {reason}") from error
        finally:
            connection.close()
        if answer.status == http.client.NOT_FOUND:
            raise NotFound(_message(body))
        if answer.status >= http.client.BAD_REQUEST:
            raise Unavailable(f"the Docker engine: {_message(body)}")
        return orjson.loads(body) if body else None


def _id(container: str) -> str:
    return quote(container, safe="")


def _message(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["message"])[:300]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body.decode(errors="replace")[:300]
