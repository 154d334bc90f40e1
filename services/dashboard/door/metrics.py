"""`/metrics` for Prometheus, read from the store at each scrape; no ids in labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.dashboard.store import Store
from shared.events import TaskState
from shared.services import SERVICES


def routes(store: Store) -> APIRouter:
    """Return `/metrics`."""
    router = APIRouter(tags=["health"])
    registry = CollectorRegistry()
    registry.register(StoreCollector(store))

    @router.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Prometheus text."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router


class StoreCollector(Collector):
    """Turns the present picture into metrics."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """Yield every metric once."""
        yield _gauge("sovereign_bus_connected", "1 while the bus answers", self._store.bus_up)
        yield from self._services()
        yield self._tasks()
        yield from self._traffic()
        yield _counter("sovereign_ops_events", "Entries of the ops record", ("kind",),
                       {(kind,): n for kind, n in self._store.ops_kinds.items()})  # fmt: skip
        yield _counter("sovereign_messages", "Messages heard", (), {(): self._store.messages})
        yield _counter("sovereign_malformed", "Unreadable messages", (),
                       {(): self._store.malformed})  # fmt: skip

    def _services(self) -> Iterator[Metric]:
        at = self._store.clock()
        vitals = self._store.vitals
        up = GaugeMetricFamily("sovereign_service_up", "1 while it works", labels=["service"])
        rss = GaugeMetricFamily(
            "sovereign_memory_bytes", "Resident memory", labels=["service", "host"]
        )
        working = vitals.up(at)
        for name in SERVICES:
            up.add_metric([name], name in working)
            hosts = {one.beat.host for one in vitals.of(name)}
            for host in sorted(hosts):
                total = sum(o.beat.rss_bytes for o in vitals.of(name) if o.beat.host == host)
                rss.add_metric([name, host], total)
        yield up
        yield rss

    def _tasks(self) -> Metric:
        counts = self._store.crew.counts()
        tasks = GaugeMetricFamily("sovereign_tasks", "Tasks known here", labels=["state"])
        for state in TaskState:
            tasks.add_metric([state.value], counts[state])
        return tasks

    def _traffic(self) -> Iterator[Metric]:
        traffic = self._store.traffic
        yield _counter("sovereign_cache_events", "What the response cache did", ("kind",),
                       {(kind,): n for kind, n in traffic.cache.items()})  # fmt: skip
        yield _counter("sovereign_vector_cache_events", "What the cache of vectors did, by text",
                       ("kind",), {(kind,): n for kind, n in traffic.vectors.items()})  # fmt: skip
        calls = {key: float(n) for key, n in traffic.by_model.items()}
        yield _counter("sovereign_model_calls", "Model calls", ("engine", "model"), calls)
        yield _counter("sovereign_tokens", "Tokens as the engine counted them", ("kind",),
                       {(kind,): n for kind, n in traffic.tokens.items()})  # fmt: skip
        yield _counter("sovereign_model_seconds", "Time of chats", (), {(): traffic.seconds})
        yield _counter("sovereign_model_errors", "Failed model calls", (), {(): traffic.errors})


def _gauge(name: str, about: str, value: float) -> Metric:
    metric = GaugeMetricFamily(name, about)
    metric.add_metric([], value)
    return metric


def _counter(name: str, about: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> Metric:
    metric = CounterMetricFamily(name, about, labels=labels)
    for key, value in values.items():
        metric.add_metric(key, value)
    return metric
