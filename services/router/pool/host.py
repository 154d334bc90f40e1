"""One Ollama host of the pool: what runs there, what is loaded, how fast and how sound it is."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from services.router.names import canonical
from services.router.ollama.engine import OllamaEngine
from services.router.pool.circuit import Circuit
from services.router.pool.energy import Meter
from services.router.pool.speed import Speed
from shared.events import EngineStatus, HostInfo

REACHED = ("ready", "model_missing")
TWICE = 2
LOADING_S = 10.0
"""What loading a model is taken to cost until it was measured."""


@dataclass(eq=False, slots=True)
class Host:
    """A host with its counts; `loaded` are the models in its memory as of the last probe,
    `notes` what is amiss with them.

    `heard` is when (monotonic) it last answered anything: a probe or a request.
    """

    name: str
    engine: OllamaEngine
    slots: int
    weight: float
    meter: Meter
    circuit: Circuit = field(default_factory=Circuit)
    speed: Speed = field(default_factory=Speed)
    running: Counter[str] = field(default_factory=Counter)
    since: dict[str, float] = field(default_factory=dict)
    loaded: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    loading_s: float = LOADING_S
    status: EngineStatus | None = None
    slow: int = 0
    heard: float = 0.0
    calls: int = 0
    failures: int = 0
    last_error: str = ""

    @property
    def up(self) -> bool:
        """Whether the last probe reached it and the owner allows it; before the first, yes."""
        state = self.status.state if self.status else "probing"
        return state in REACHED or (state == "probing" and self.slow < TWICE)

    @property
    def busy(self) -> int:
        """How many requests run here."""
        return self.running.total()

    def holds(self, model: str) -> bool:
        """Tell whether the last probe found the model here."""
        return self.engine.catalogue.find(model) is not None

    def warm(self, model: str) -> bool:
        """Tell whether the model is in memory, or is being used."""
        return canonical(model) in self.loaded or self.running[model] > 0

    def has_room(self, model: str) -> bool:
        """Tell whether a place for this model is free: Ollama's slots are per loaded model."""
        return self.running[model] < self.slots

    def expected_s(self, model: str, best_s: float) -> float:
        """Return how long a request would take if it went here now."""
        loading = 0.0 if self.warm(model) else self.loading_s
        alone = self.speed.expected(model, best_s)
        return loading + alone * (self.busy + 1) / self.weight

    def begin(self, model: str) -> None:
        """A request goes here."""
        self.running[model] += 1
        self.since.setdefault(model, time.monotonic())
        self.calls += 1
        self.circuit.begin()

    def leave(self, model: str) -> None:
        """It is gone."""
        self.running[model] -= 1
        self.since[model] = time.monotonic()
        if not self.running[model]:
            del self.running[model], self.since[model]

    def at_work(self, idle_s: float) -> bool:
        """Tell whether a slow probe is no news: it works for us, and was heard of within `idle_s`.

        A server that chews long prompts may have no time for probes; its calls have limits of
        their own.
        """
        reached = self.status is not None and self.status.state in REACHED
        return reached and self.busy > 0 and time.monotonic() - self.heard < idle_s

    def next_s(self, model: str, best_s: float) -> float:
        """Return the seconds between two answers of one place here, while it is in use.

        A host that is still loading takes longer, and so does one from which nothing has come
        for longer than usual.
        """
        loading = 0.0 if canonical(model) in self.loaded else self.loading_s
        silent_s = time.monotonic() - self.since.get(model, time.monotonic())
        return max(loading + self.speed.expected(model, best_s), silent_s)

    def answered(self, model: str, seconds: float, load_s: float) -> None:
        """Learn from an answer that took `seconds`, of which `load_s` to load the model."""
        self.circuit.succeeded()
        self.heard = time.monotonic()
        self.speed.took(model, max(0.0, seconds - load_s))
        if canonical(model) not in self.loaded:
            self.loaded |= {canonical(model)}
            self.loading_s = load_s or self.loading_s

    def failed(self, error: BaseException) -> None:
        """Learn from a failure."""
        if self.circuit.ended(error):
            self.failures += 1
            self.last_error = str(error)

    def info(self) -> HostInfo:
        """Return what people are told."""
        return HostInfo(
            name=self.name,
            url=self.engine.url,
            state=self.status.state if self.status else "probing",
            circuit=self.circuit.state,
            slots=self.slots,
            weight=self.weight,
            busy=self.busy,
            calls=self.calls,
            failures=self.failures,
            models=tuple(model.name for model in self.engine.catalogue.models),
            loaded=tuple(sorted(self.loaded)),
            seconds=self.speed.table(),
            version=self.status.version if self.status else "",
            detail=self.last_error if self.circuit.state != "closed" else self._said(),
        )

    def _said(self) -> str:
        told = self.status.detail if self.status else ""
        return told or "; ".join(self.notes)
