"""Who is alive: the last beat of every instance, how old it is, and the beats before it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from shared.events import Beat
from shared.services import SERVICES

SILENT_AFTER_BEATS = 3.5
LAGGING_S = 0.5
BARS = 40
GONE_AFTER_S = 900.0
LEFT_AFTER_S = 60.0
MOST_INSTANCES = 500

UP = frozenset({"ready", "lagging"})
"""States in which a service does its work."""


@dataclass
class Instance:
    """One running process as its beats tell it. `heard_at` is on the store's clock."""

    beat: Beat
    heard_at: float
    boots: int = 1
    cpu_share: float | None = None
    bars: deque[str] = field(default_factory=lambda: deque(maxlen=BARS))

    def take(self, beat: Beat, at: float) -> None:
        """Take the next beat; a new `boot` is a restart."""
        if beat.boot != self.beat.boot:
            self.boots += 1
            self.cpu_share = None
        elif beat.uptime_s > self.beat.uptime_s:
            used = beat.cpu_s - self.beat.cpu_s
            self.cpu_share = max(0.0, used / (beat.uptime_s - self.beat.uptime_s))
        self.beat = beat
        self.heard_at = at

    def silent_s(self, at: float) -> float:
        """Seconds since the last beat."""
        return max(0.0, at - self.heard_at)

    def state(self, at: float) -> str:
        """Return one word: starting, ready, lagging, draining, silent, stopped."""
        if self.beat.state == "goodbye":
            return "stopped"
        if self.silent_s(at) > SILENT_AFTER_BEATS * self.beat.interval_s:
            return "silent"
        if self.beat.state == "ready" and self.beat.loop_lag_s > LAGGING_S:
            return "lagging"
        return self.beat.state


class Vitals:
    """All instances by service and instance name."""

    def __init__(self) -> None:
        self.instances: dict[tuple[str, str], Instance] = {}

    def take(self, beat: Beat, at: float) -> None:
        """Take one beat."""
        key = (beat.service, beat.instance)
        known = self.instances.get(key)
        if known is not None:
            known.take(beat, at)
        elif len(self.instances) < MOST_INSTANCES:
            self.instances[key] = Instance(beat, at)

    def sample(self, at: float) -> None:
        """Add one bar to every instance and forget those that are long gone."""
        for key, one in list(self.instances.items()):
            state = one.state(at)
            one.bars.append(state)
            limit = LEFT_AFTER_S if state == "stopped" else GONE_AFTER_S
            if one.silent_s(at) > limit:
                del self.instances[key]

    def of(self, service: str) -> list[Instance]:
        """Return the instances of one service, ordered by host and name."""
        found = [one for (name, _), one in self.instances.items() if name == service]
        return sorted(found, key=lambda one: (one.beat.host, one.beat.instance))

    def services(self) -> list[str]:
        """Return the expected services first, then any other that was heard."""
        others = sorted({name for name, _ in self.instances} - set(SERVICES))
        return [*SERVICES, *others]

    def state_of(self, service: str, at: float) -> str:
        """Return the best state among a service's instances; `missing` when none was heard."""
        order = ("ready", "lagging", "starting", "draining", "silent", "stopped")
        states = {one.state(at) for one in self.of(service)}
        return next((state for state in order if state in states), "missing")

    def up(self, at: float) -> list[str]:
        """Return the expected services that work."""
        return [name for name in SERVICES if self.state_of(name, at) in UP]
