"""The engine on a pool of Ollama hosts: the best place, and another host when one fails."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

from services.router import names
from services.router.engine import Answer, OnDelta, Vectors
from services.router.ollama.chat import refuse_endless
from services.router.ollama.client import OllamaClient
from services.router.ollama.engine import OllamaEngine
from services.router.pool.energy import Meter
from services.router.pool.host import REACHED, Host
from services.router.pool.memory import memory
from services.router.pool.places import Places, Want
from shared.errors import Busy, EngineFailed, ModelMissing, NotFound, SovereignError, Unavailable
from shared.events import (
    ChatRequest,
    EmbedRequest,
    Empty,
    EngineStatus,
    HostList,
    ModelInfo,
)
from shared.settings import OllamaHost, RouterSettings, Settings

log = logging.getLogger(__name__)

ELSEWHERE = (Busy, EngineFailed, ModelMissing, Unavailable)
"""Failures after which another host may do better; the caller must not have seen a word yet."""
BEST_FIRST = ("ready", "model_missing", "probing", "refused", "absent")


class PoolEngine:
    """One seam for all hosts; it queues by itself, by host and model."""

    name = "ollama"
    is_llm = True

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.router
        pool = settings.ollama_pool
        told = _names(pool, settings.host)
        self.hosts = tuple(_host(settings, *one) for one in zip(pool, told, strict=True))
        self.places = Places(self.hosts, settings.router.queue)
        self.own = all(host.engine.own for host in self.hosts)

    @property
    def models(self) -> tuple[ModelInfo, ...]:
        """All models of all hosts, by name."""
        found = {model.name: model for host in self.hosts for model in host.engine.catalogue.models}
        return tuple(found[name] for name in sorted(found))

    async def probe(self) -> EngineStatus:
        """Ask all hosts at once; the best of their answers counts, with all places."""
        async with asyncio.TaskGroup() as tasks:
            for host in self.hosts:
                tasks.create_task(_look(host, self._settings))
        self.places.dispatch()
        found = [host.status for host in self.hosts if host.status is not None]
        best = min(found, key=lambda status: BEST_FIRST.index(status.state))
        if len(self.hosts) == 1:
            return best
        return best.model_copy(update={"slots": self.places.count, "detail": self._away(best)})

    async def identity(self, model: str) -> str:
        """Return the digests under this name; hosts should hold the same."""
        held = (host.engine.catalogue.find(model) for host in self.hosts)
        return " ".join(sorted({found.digest for found in held if found}))

    async def chat(self, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
        """Answer from the host where it ends soonest; `queue_s` is the time without a place."""
        refuse_endless(request, self._settings)
        failed: frozenset[Host] = frozenset()
        waited_s = 0.0
        telling = _Telling(on_delta)
        while True:
            want = Want(request.model, request.priority, failed)
            async with self.places.hold(want) as held:
                waited_s += held.waited_s
                try:
                    answer = await _ask(held.host, request, telling.tell if on_delta else None)
                    return replace(answer, queue_s=waited_s)
                except ELSEWHERE:
                    failed |= {held.host}
                    again = Want(request.model, request.priority, failed)
                    if telling.told or not self._another(again):
                        raise

    async def embed(self, request: EmbedRequest) -> Vectors:
        """Return vectors from the host where they come soonest, another one if that fails."""
        want = Want(request.model, request.priority)
        waited_s = 0.0
        while True:
            async with self.places.hold(want) as held:
                waited_s += held.waited_s
                try:
                    return replace(await _embed(held.host, request), queue_s=waited_s)
                except ELSEWHERE:
                    want = replace(want, without=want.without | {held.host})
                    if not self._another(want):
                        raise

    async def close(self) -> None:
        """Close all sessions."""
        for host in self.hosts:
            await host.engine.close()

    async def list_hosts(self, _: Empty) -> HostList:
        """Answer `model.hosts`."""
        return HostList(
            hosts=tuple(host.info() for host in self.hosts),
            waiting=self.places.waiting,
            queue=self.places.queue,
        )

    def beat(self) -> dict[str, Any]:
        """Return what every beat says of the hosts."""
        names = {"name", "state", "circuit", "slots", "busy"}
        return {"hosts": [host.info().model_dump(include=names) for host in self.hosts]}

    async def cloud_disabled(self) -> bool | None:
        """Tell whether every host says that Ollama's cloud is off; None when one says nothing."""
        asked = (h.engine.catalogue.cloud_disabled(self._settings.probe_s) for h in self.hosts)
        told = await asyncio.gather(*asked)
        return None if None in told else all(told)

    def client(self, name: str) -> OllamaClient:
        """Return the client of the named host, or of the first that is up."""
        if name:
            return self.find(name).engine.client
        return next((host for host in self.hosts if host.up), self.hosts[0]).engine.client

    def find(self, name: str) -> Host:
        """Return the host of this name, or raise `NotFound`."""
        for host in self.hosts:
            if host.name == name:
                return host
        known = ", ".join(host.name for host in self.hosts)
        raise NotFound(f"no host {name}: there are {known}", field="host")

    def _another(self, want: Want) -> bool:
        """Tell whether a host that is up and holds the model is left."""
        left = [host for host in self.hosts if host not in want.without and host.up]
        return any(host.holds(want.model) for host in left)

    def _away(self, best: EngineStatus) -> str:
        """Say which hosts are not ready, if any answers at all."""
        away = [host for host in self.hosts if host.status and host.status.state != "ready"]
        if not away or best.state != "ready":
            return best.detail
        told = "; ".join(f"{host.name}: {host.status.detail}" for host in away if host.status)
        return f"{len(away)} of {len(self.hosts)} hosts not ready: {told}"[:500]


class _Telling:
    """Passes pieces on, and knows whether the caller has seen any."""

    def __init__(self, on_delta: OnDelta | None) -> None:
        self._on_delta = on_delta
        self.told = False

    async def tell(self, delta: str) -> None:
        self.told = True
        if self._on_delta is not None:
            await self._on_delta(delta)


async def _ask(host: Host, request: ChatRequest, on_delta: OnDelta | None) -> Answer:
    """Ask one host, and let it learn from what comes of it."""
    began, begun = time.monotonic(), host.meter.begin()
    try:
        answer = await host.engine.chat(request, on_delta)
    except BaseException as error:
        _failed(host, begun, error)
        raise
    host.answered(request.model, time.monotonic() - began, answer.load_s or 0.0)
    cost = _with_energy(host, begun, answer.cost_usd)
    return replace(answer, host=host.name, cost_usd=cost)


async def _embed(host: Host, request: EmbedRequest) -> Vectors:
    """Ask one host for vectors, and let it learn from what comes of it."""
    began, begun = time.monotonic(), host.meter.begin()
    try:
        found = await host.engine.embed(request)
    except BaseException as error:
        _failed(host, begun, error)
        raise
    host.answered(request.model, time.monotonic() - began, found.load_s or 0.0)
    return replace(found, host=host.name, cost_usd=_with_energy(host, begun, found.cost_usd))


def _failed(host: Host, begun: float, error: BaseException) -> None:
    host.failed(error)
    host.meter.end(begun)
    if isinstance(error, SovereignError):
        error.host = host.name


def _with_energy(host: Host, begun: float, cost: Decimal | None) -> Decimal | None:
    energy = host.meter.end(begun)
    return None if cost is None else cost + energy


async def _look(host: Host, settings: RouterSettings) -> None:
    """Probe one host: what it is, what it has in memory.

    Once slow is busy, twice is gone, unless it is at work.
    """
    found = await host.engine.probe()
    if found.state == "probing" and host.at_work(settings.idle_s):
        return
    host.slow = host.slow + 1 if found.state == "probing" else 0
    host.status = found
    if found.state not in REACHED:
        return
    host.heard = time.monotonic()
    host.circuit.try_again()
    try:
        told = await host.engine.client.get("/api/ps", settings.probe_s)
        held = memory(told, settings)
    except (SovereignError, AttributeError, TypeError):
        return
    for note in sorted({*held.notes} - {*host.notes}):
        log.warning("host %s: %s", host.name, note)
    host.loaded, host.notes = held.models, held.notes


def _names(pool: tuple[OllamaHost, ...], here: str) -> list[str]:
    """Return what people call the hosts: as the owner says, else by their address, each once."""
    told: list[str] = []
    for one in pool:
        name = one.name or names.host_of(one.url, here)
        same = sum(re.sub(r"-\d+$", "", other) == name for other in told)
        told.append(f"{name}-{same + 1}" if name in told else name)
    return told


def _host(settings: Settings, one: OllamaHost, name: str) -> Host:
    router = settings.router
    watts = router.watts if one.watts is None else one.watts
    return Host(
        name=name,
        engine=OllamaEngine(settings, one.url),
        slots=one.slots or router.slots,
        weight=one.weight,
        meter=Meter(watts, router.energy_usd_per_kwh),
    )
