"""Everything that the pages show, folded from the bus; knows neither the bus nor the pages.

Every number has an age: `Known` for what was asked for, beats and views for what was told.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from services.dashboard.crew import Crew
from services.dashboard.traffic import Traffic
from services.dashboard.vitals import Vitals
from shared.events import (
    Beat,
    CacheEvent,
    CostEvent,
    EngineStatus,
    LiveUpdate,
    OpsEvent,
    StepResult,
    TaskResult,
    TaskState,
    TaskView,
)

POINTS = 120
SAMPLE_S = 0.5
OPS_EVENTS = 300
QUIET_AFTER_S = 5.0
RATE_S = 2.0


@dataclass(frozen=True)
class Known:
    """The last answer of another service and when it came; `error` is why the next one did not."""

    value: BaseModel | None
    at: float
    error: str = ""


@dataclass(frozen=True)
class Point:
    """What is drawn at one moment; None is a gap and never a zero."""

    messages: float | None
    running: int | None
    waiting: int | None
    p50_s: float | None
    p95_s: float | None


class Store:
    """The present picture. `apply` takes one event, `sample` draws the next point."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.started = clock()
        self.vitals = Vitals()
        self.crew = Crew()
        self.traffic = Traffic()
        self.ops: deque[OpsEvent] = deque(maxlen=OPS_EVENTS)
        self.ops_kinds: Counter[str] = Counter()
        self.reports: dict[str, Known] = {}
        self.points: deque[Point] = deque(maxlen=POINTS)
        self.messages = 0
        self.malformed = 0
        self.last_malformed = ""
        self.heard_at: float | None = None
        self.bus_up = False
        self.ever_up = False
        self._up_at = self.started
        self._marks: deque[tuple[float, int]] = deque(maxlen=int(RATE_S / SAMPLE_S) + 1)
        self._takers: dict[type[BaseModel], Callable[[Any], None]] = {
            Beat: lambda one: self.vitals.take(one, self.clock()),
            CacheEvent: self.traffic.take_cache,
            CostEvent: lambda one: self.traffic.take_cost(one, self.clock()),
            OpsEvent: self._take_ops,
            LiveUpdate: self.crew.take_live,
            TaskView: self.crew.take_view,
            TaskResult: self.crew.take_result,
            StepResult: lambda one: None,
        }

    def apply(self, event: BaseModel) -> None:
        """Fold one event that the bus told."""
        self.messages += 1
        self.heard_at = self.clock()
        self.fold(event)

    def fold(self, event: BaseModel) -> None:
        """Fold one fact into the picture, wherever it was read."""
        self._takers[type(event)](event)

    def refuse(self, subject: str, why: str) -> None:
        """Count a message that nobody can read; the picture stays as it was."""
        self.malformed += 1
        self.last_malformed = f"{subject}: {why}"[:300]

    def answer(self, name: str, value: BaseModel) -> None:
        """Keep another service's answer with its age."""
        self.reports[name] = Known(value, self.clock())

    def no_answer(self, name: str, error: str) -> None:
        """Note that a service did not answer; what it said last is kept."""
        last = self.reports.get(name)
        self.reports[name] = Known(last.value if last else None, last.at if last else 0.0, error)

    def sample(self, *, bus_up: bool) -> None:
        """Draw the next point; called every half second."""
        at = self.clock()
        self.bus_up = bus_up
        if bus_up:
            self._up_at = at
            self.ever_up = True
        self._marks.append((at, self.messages))
        if bus_up:
            self.vitals.sample(at)
        counts = self.crew.counts()
        self.points.append(
            Point(
                messages=self.rate() if bus_up else None,
                running=counts[TaskState.RUNNING] + counts[TaskState.PLANNING] if bus_up else None,
                waiting=counts[TaskState.WAITING] + counts[TaskState.QUEUED] if bus_up else None,
                p50_s=self.traffic.percentile(0.50, at) if bus_up else None,
                p95_s=self.traffic.percentile(0.95, at) if bus_up else None,
            )
        )

    def seen_at(self) -> float:
        """Return the moment that pages judge by: now, or when the bus was last there.

        While the bus is lost nobody can be heard, so silence says nothing about the services.
        """
        return self.clock() if self.bus_up or not self.ever_up else self._up_at

    def rate(self) -> float | None:
        """Return the messages per second heard over the last two seconds."""
        if len(self._marks) < 2:
            return None
        (first, before), (last, after) = self._marks[0], self._marks[-1]
        return (after - before) / (last - first) if last > first else None

    def silent_s(self) -> float | None:
        """Return the seconds since anything was heard; None when nothing ever was."""
        return None if self.heard_at is None else self.clock() - self.heard_at

    def mood(self) -> str:
        """Return one word on the whole picture: lost, connecting, silent or live."""
        silent = self.silent_s()
        if not self.bus_up:
            return "lost" if self.ever_up else "connecting"
        if silent is None:
            return "connecting" if self.clock() - self.started < QUIET_AFTER_S else "silent"
        return "silent" if silent > QUIET_AFTER_S else "live"

    def engine(self) -> EngineStatus | None:
        """Return what answers model requests, as the router's beat tells it."""
        at = self.seen_at()
        for one in self.vitals.of("router"):
            told = one.beat.info.get("engine")
            if isinstance(told, dict) and one.state(at) in ("ready", "lagging", "starting"):
                try:
                    return EngineStatus.model_validate(told)
                except ValueError:
                    return None
        return None

    def report(self, name: str) -> Any:
        """Return the last known answer of `name`, or None."""
        known = self.reports.get(name)
        return known.value if known else None

    def _take_ops(self, event: OpsEvent) -> None:
        self.ops.append(event)
        self.ops_kinds[event.kind] += 1
