"""Everyone who beats: bounded, keyed by host, service and instance. Pure: time comes in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from pydantic import ValidationError

from services.ops.answering import Answering
from services.ops.detector import PhiDetector
from services.ops.trend import Memory
from shared.events.health import Beat
from shared.events.ops import InstanceStatus
from shared.services import SERVICES

MOST = 1000
"""Instances that are remembered; beats of any further ones are counted, not stored."""

FORGET_S = 60.0
"""An instance that said goodbye, or has no supervisor, is dropped after this silence."""

SUPERVISOR = "supervisor"

Key = tuple[str, str, str]


@dataclass
class Instance:
    """One sender of beats and what is thought of it."""

    beat: Beat
    detector: PhiDetector
    heard_at: float
    symptom: str | None = None
    healing: bool = False
    memory: Memory = field(default_factory=Memory)
    answering: Answering = field(default_factory=Answering)
    had_model: bool = False
    gone: bool = False
    calm_beats: int = 0
    calm_seq: int = -1
    changed: anyio.Event = field(default_factory=anyio.Event)

    @property
    def key(self) -> Key:
        """Where it is remembered."""
        return key_of(self.beat)


def key_of(beat: Beat) -> Key:
    """Return host, service and instance of a beat."""
    return beat.host, beat.service, beat.instance


class Instances:
    """All of them."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._known: dict[Key, Instance] = {}
        self.refused = 0

    def __iter__(self) -> Iterator[Instance]:
        return iter(tuple(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Key) -> Instance | None:
        """Return the instance, if it is known."""
        return self._known.get(key)

    def hear(self, beat: Beat, at: float) -> Instance | None:
        """Take a beat; None when it is of an unknown service or there is no room for more."""
        known = self._known.get(key_of(beat))
        if known is not None and known.beat.boot == beat.boot:
            if beat.seq <= known.beat.seq:
                return known  # an old beat, told again, proves nothing
            if beat.state == known.beat.state:
                known.detector.beat(at)
            else:  # such a beat is sent at once: it tells nothing of the rhythm
                known.detector.excuse(at)
            _update(known, beat, at)
            return known
        if beat.service not in (*SERVICES, SUPERVISOR) or (known is None and not self._room(at)):
            self.refused += 1
            return None
        return self._add(known, beat, at)

    def expect(self, host: str, at: float) -> None:
        """Begin to miss those whom their supervisor calls ready and who were never heard here.

        They may have hung before this ops came, or before their first word reached it.
        """
        for service, child in self.children(host).items():
            pid = child.get("pid") if isinstance(child, dict) else None
            if not isinstance(pid, int) or child.get("state") != "ready":
                continue
            name = str(child.get("instance", f"{service}-1"))
            if (host, service, name) not in self._known and service in SERVICES:
                self._add_silent((host, service, name), pid, at)

    def _add_silent(self, key: Key, pid: int, at: float) -> None:
        host, service, name = key
        try:
            silent = Beat(
                service=service, instance=name, host=host, boot="", pid=pid, seq=0, state="ready",
                supervised=True,
            )  # fmt: skip
        except ValidationError:
            return
        if self._room(at):
            self._add(None, silent, at)

    def excuse(self, at: float) -> None:
        """Start every silence anew, after the watcher was deaf or late."""
        for instance in self._known.values():
            instance.detector.excuse(at)

    def forget_gone(self, at: float) -> list[Instance]:
        """Drop and return those that are gone for good."""
        quiet = [i for i in self._known.values() if at - i.heard_at > FORGET_S]
        gone = [i for i in quiet if _may_go(i) or self.supervisor_of(i.beat.host) is None]
        for instance in gone:
            instance.gone = True
            instance.changed.set()
            del self._known[instance.key]
        return gone

    def supervisor_of(self, host: str) -> Instance | None:
        """Return the supervisor of a host, if one was ever heard."""
        found = (i for i in self._known.values() if i.beat.service == SUPERVISOR)
        return next((i for i in found if i.beat.host == host), None)

    def children(self, host: str) -> Mapping[str, Any]:
        """Return what the supervisor of a host last said of its services."""
        supervisor = self.supervisor_of(host)
        said = supervisor.beat.info.get("children") if supervisor is not None else None
        return said if isinstance(said, dict) else {}

    def hosts(self) -> list[str]:
        """Return the hosts that have a supervisor."""
        return sorted({i.beat.host for i in self._known.values() if i.beat.service == SUPERVISOR})

    def _add(self, known: Instance | None, beat: Beat, at: float) -> Instance:
        detector = PhiDetector(beat.interval_s, self._pause_s, at)
        fresh = Instance(beat, detector, at)
        self._known[key_of(beat)] = fresh
        _learn(fresh, beat, at)
        if known is not None:
            fresh.had_model |= known.had_model
            known.gone = True
            known.changed.set()
        return fresh

    def _room(self, at: float) -> bool:
        if len(self._known) >= MOST:
            self.forget_gone(at)
        return len(self._known) < MOST


def _update(known: Instance, beat: Beat, at: float) -> None:
    """Take over a later beat; wake whoever waits for another state."""
    woken = known.healing or beat.state != known.beat.state
    known.beat, known.heard_at = beat, at
    _learn(known, beat, at)
    if woken:
        known.changed.set()
        known.changed = anyio.Event()


def _learn(known: Instance, beat: Beat, at: float) -> None:
    if beat.state != "starting":  # what is still loading has not shown yet what it needs
        known.memory.take(at, beat.rss_bytes, beat.uptime_s)
    known.answering.take(beat)
    engine = beat.info.get("engine") if beat.service == "router" else None
    if isinstance(engine, dict):
        known.had_model |= engine.get("is_llm") is True and engine.get("state") == "ready"


def _may_go(instance: Instance) -> bool:
    return instance.beat.state == "goodbye" or not instance.beat.supervised


def status_of(instance: Instance, child: Mapping[str, Any], at: float) -> InstanceStatus:
    """Return how an instance looks from outside; `child` is its supervisor's word on it."""
    beat = instance.beat
    return InstanceStatus(
        service=beat.service,
        instance=beat.instance,
        host=beat.host,
        state=_state(instance, child),
        silent_s=round(max(0.0, at - instance.heard_at), 3),
        uptime_s=beat.uptime_s,
        loop_lag_s=beat.loop_lag_s,
        rss_bytes=beat.rss_bytes,
        cpu_s=beat.cpu_s,
        restarts=int(child.get("restarts", 0)),
        symptom=instance.symptom,
        info=beat.info,
    )


def _state(instance: Instance, child: Mapping[str, Any]) -> str:
    """Return the state: a supervisor knows better than a beat that is no longer sent."""
    said = child.get("state")
    if child and child.get("pid") != instance.beat.pid and isinstance(said, str):
        return said
    return instance.beat.state
