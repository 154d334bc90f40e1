"""One service of this host: started, watched, restarted, and put aside when it cannot live."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio

from services.ops.intensity import Intensity, backoff_s
from services.ops.process import Owner, Process, how_it_left
from services.ops.record import Record
from shared.events.health import Beat
from shared.events.ops import OpsKind
from shared.service import EXIT_USAGE
from shared.settings import OpsSettings

ChildState = Literal["starting", "ready", "draining", "backoff", "quarantined", "stopped"]
MOST_PATIENCE = 16
"""A probe that fails doubles the wait for the next one, up to this many times the setting."""


@dataclass(frozen=True)
class Spec:
    """What to run for a service, and where its output goes."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path


class Child(Owner):
    """Owns one process after the other; `run` is its only loop."""

    def __init__(
        self, spec: Spec, limits: OpsSettings, record: Record, spawned: Callable[[], None]
    ) -> None:
        super().__init__()
        self._spec = spec
        self._spawned = spawned
        self._limits = limits
        self._record = record
        self._intensity = Intensity(limits.restarts, limits.window_s)
        self._chance = random.Random()
        self._not_before = 0.0
        self._changed = anyio.Event()
        self._planned: str | None = None
        self._probing = 0
        self._left_at: float | None = None
        self._closing = False
        self.name = spec.name
        self.instance = f"{spec.name}-1"
        self.state: ChildState = "starting"
        self.reason = ""
        self.restarts = 0
        self.started_at = 0.0
        self.heard_at = 0.0
        self.local_at = 0.0
        self.placed_for: str | None = None
        self.fell: Callable[[Child], None] | None = None
        self._settled = anyio.Event()
        self.gone = anyio.Event()
        self.gone.set()

    def describe(self) -> dict[str, Any]:
        """Return what the supervisor's beat says of this service."""
        said: dict[str, Any] = {"state": self.state, "pid": self.pid, "restarts": self.restarts}
        if self.reason:
            said["reason"] = self.reason
        if self.placed_for:
            said["placed_for"] = self.placed_for
        if self.local_at > self.started_at:
            said["alive_s"] = round(time.monotonic() - self.local_at, 2)
        return said

    async def run(self) -> None:
        """Keep the service alive until `close`."""
        self.gone = anyio.Event()
        try:
            await self._keep_alive()
        finally:
            self.gone.set()

    async def settled(self) -> None:
        """Return when the service is ready for the first time, or cannot be."""
        await self._settled.wait()

    async def _keep_alive(self) -> None:
        while not self._closing:
            await self._until_allowed()
            if self._closing:
                return
            process = await self._start()
            if process is None:
                self._failed("it cannot be started")
                continue
            self._left(process, await process.wait())

    def heard(self, beat: Beat) -> None:
        """Take a beat of this service on this host."""
        if beat.pid != self.pid:
            return
        self.heard_at = time.monotonic()
        if beat.state == "ready" and self.state == "starting":
            self._become_ready()

    def restart(self, cause: str, grace_s: float) -> None:
        """Replace the process: ask it to leave, kill it after `grace_s` seconds, start anew."""
        self._intensity.forget()
        self._not_before = 0.0
        self._changed.set()
        if self._end(grace_s):
            self._planned, self.state = cause, "draining"

    def hold(self, state: Literal["stopped", "quarantined"], cause: str, grace_s: float) -> None:
        """End the process and keep it down until `restart` or `close`.

        What is quarantined is tried again by itself, later after each time that it falls.
        """
        self.state, self.reason = state, cause
        wait_s = self._patience_s() if state == "quarantined" else math.inf
        self._not_before = time.monotonic() + wait_s
        self._changed.set()
        if self._end(grace_s):
            self._planned = cause
        evidence = {} if math.isinf(wait_s) else {"probe_in_s": wait_s, "why": "commanded"}
        self._tell(state, cause=cause, evidence=evidence)

    def open_circuit(self) -> bool:
        """Have the service refuse requests for a while; False when it is not ready for that."""
        if self._process is None or self.state != "ready":
            return False
        self._process.open_circuit()
        return True

    def close(self, grace_s: float) -> None:
        """End the process and the loop for good."""
        self._closing = True
        self._changed.set()
        if self._end(grace_s):
            self.state = "draining"

    def last_line(self) -> str:
        """Return the last line that the present or last process wrote."""
        return self._process.last_line() if self._process is not None else ""

    def _end(self, grace_s: float) -> bool:
        if self._process is None or not self._process.alive:
            return False
        self._process.end(grace_s)
        return True

    async def _until_allowed(self) -> None:
        while not self._closing and (left := self._not_before - time.monotonic()) > 0:
            with anyio.move_on_after(left):
                await self._changed.wait()
            self._changed = anyio.Event()

    async def _start(self) -> Process | None:
        began = time.monotonic()
        try:
            process = await Process.start(self._spec.argv, self._spec.env, self._spec.log)
        except OSError as error:
            self.reason = str(error)
            return None
        self._process, self.started_at, self.heard_at = process, began, began
        self.state = "starting"
        self._spawned()
        self._tell_started(process)
        if self._closing:
            process.end(0.0)
        return process

    def _tell_started(self, process: Process) -> None:
        if self._left_at is None:
            self._tell("started", evidence={"pid": process.pid})
            return
        self.restarts += 1
        ordered_s = self.started_at - self._left_at
        evidence = {"pid": process.pid, "restarts": self.restarts}
        self._tell("restarted", evidence=evidence, duration_s=ordered_s, cause=self.reason)

    def _become_ready(self) -> None:
        self.state = "ready"
        since = self.started_at if self._left_at is None else self._left_at
        self._tell("ready", duration_s=time.monotonic() - since)
        if self._probing:
            self._tell("released", cause="the probe start became ready")
        self.reason = ""
        self._settled.set()

    def _left(self, process: Process, code: int) -> None:
        self._left_at = time.monotonic()
        planned, self._planned = self._planned, None
        if self._closing:
            self.state = "stopped"
            return
        if planned is not None:
            self._tell_exited(process, code, planned, planned=True)
            return
        said = process.last_line()
        cause = how_it_left(code) + (f": {said}" if said and code > 0 else "")
        self._tell_exited(process, code, cause)
        self._failed(cause, final=code == EXIT_USAGE)

    def _failed(self, cause: str, final: bool = False) -> None:
        """Decide when to start again after a failure; `final` ones are not tried in a row."""
        present = time.monotonic()
        self._left_at = self._left_at or present
        if present - self.started_at > self._limits.window_s:
            self._probing = 0
        allowed = self._intensity.failed(present)
        self.reason = cause
        if final or not allowed or self._probing:
            self._quarantine(present, cause, final)
            return
        self.state = "backoff"
        self._not_before = present + backoff_s(self._intensity.recent(present), self._chance)

    def _quarantine(self, present: float, cause: str, final: bool) -> None:
        wait_s = self._patience_s()
        self._intensity.forget()
        self.state = "quarantined"
        self._not_before = present + wait_s
        limit = f"{self._limits.restarts} restarts in {self._limits.window_s:g} s"
        why = "it cannot run as configured" if final else f"more than {limit}"
        self.reason = cause if final else f"{why}; last: {cause}"
        self._settled.set()
        evidence = {"probe_in_s": wait_s, "why": why}
        self._tell("quarantined", cause=self.reason, evidence=evidence)
        if self.fell is not None:
            self.fell(self)

    def _patience_s(self) -> float:
        """Return how long to wait for the next probe; twice as long after each."""
        patience = min(2**self._probing, MOST_PATIENCE)
        self._probing += 1
        return float(self._limits.quarantine_s * patience)

    def _tell_exited(self, process: Process, code: int, cause: str, planned: bool = False) -> None:
        self.reason = cause
        lived_s = round((self._left_at or 0.0) - self.started_at, 3)
        evidence = {"pid": process.pid, "code": code, "lived_s": lived_s, "planned": planned}
        self._tell("exited", cause=cause, evidence=evidence)

    def _tell(self, kind: OpsKind, **fields: Any) -> None:
        self._record.tell(kind, self.name, instance=self.instance, **fields)
