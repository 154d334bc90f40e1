"""Follows every model on every host as calls are booked, and keeps the last anomalies."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import NamedTuple

from services.router.monitor.detector import Detector, ErrorDetector
from services.router.recent import CALLERS_FAULT
from services.router.record import Call
from shared.clock import now
from shared.events import Anomaly, CallKind

log = logging.getLogger(__name__)

MOST_SERIES = 200
MOST_ANOMALIES = 100
NOT_JUDGED = (*CALLERS_FAULT, "busy")
PROMPT_SHARE = 0.1
"""Of an answered token's time: what reading a token of the prompt takes, roughly."""


SIZES = (64, 512, 4096)
"""Tokens: the time for one depends on how many are embedded at once, so sizes are told apart."""


class Key(NamedTuple):
    """One kind of calls of one model on one host; of embeddings, of about one size."""

    kind: CallKind
    model: str
    host: str
    size: int = 0


@dataclass(slots=True)
class Series:
    """One model on one host: its detectors, and the open anomaly of each."""

    times: Detector = field(default_factory=Detector)
    errors: ErrorDetector = field(default_factory=ErrorDetector)
    open: dict[str, Anomaly] = field(default_factory=dict)


class Monitor:
    """Bounded: the series longest without a call goes when there are too many."""

    def __init__(self) -> None:
        self._series: OrderedDict[Key, Series] = OrderedDict()
        self._ended: deque[Anomaly] = deque(maxlen=MOST_ANOMALIES)

    def take(self, call: Call) -> None:
        """Take a call in, if a model was asked and the outcome is its own."""
        if not call.is_llm or call.cache not in ("off", "miss") or call.error in NOT_JUDGED:
            return
        key = Key("embed" if call.kind == "embed" else "chat", call.model, call.host)
        self._errors(key, self._at(key), call)
        if call.error is None:
            alike = key._replace(size=_size(call))
            self._times(alike, self._at(alike), call)

    def _at(self, key: Key) -> Series:
        series = self._series[key] = self._series.pop(key) if key in self._series else Series()
        if len(self._series) > MOST_SERIES:
            self._series.popitem(last=False)
        return series

    def anomalies(self) -> tuple[Anomaly, ...]:
        """Return those that last, then those that ended, the latest first."""
        lasting = [one for series in self._series.values() for one in series.open.values()]
        return (*sorted(lasting, key=lambda one: one.since, reverse=True), *reversed(self._ended))

    def lasting(self) -> int:
        """Return how many anomalies there are now."""
        return sum(len(series.open) for series in self._series.values())

    def _times(self, key: Key, series: Series, call: Call) -> None:
        tokens = call.completion_tokens + PROMPT_SHARE * call.prompt_tokens
        seconds = call.total_s - call.queue_s - (call.load_s or 0.0)
        if tokens >= 1 and seconds > 0:
            turned = series.times.take(seconds / tokens)
            self._turn(key, series, "seconds_per_token", turned)

    def _errors(self, key: Key, series: Series, call: Call) -> None:
        turned = series.errors.take(call.error is not None)
        self._turn(key, series, "errors", turned)

    def _turn(self, key: Key, series: Series, metric: str, turned: bool) -> None:
        detector = series.times if metric == "seconds_per_token" else series.errors
        if turned and detector.abnormal:
            series.open[metric] = Anomaly(
                model=key.model,
                host=key.host,
                kind=key.kind,
                metric=metric,
                since=now(),
                value=detector.worst,
                usual=detector.usual,
            )
            log.warning("%s on %s: %s is not as usual", key.model, key.host, metric)
        elif metric in series.open:
            one = series.open[metric]
            changes = {"value": detector.worst, "calls": one.calls + 1}
            series.open[metric] = one.model_copy(update=changes)
            if turned:
                ended = series.open.pop(metric).model_copy(update={"until": now()})
                self._ended.append(ended)
                log.info("%s on %s: %s is as usual again", key.model, key.host, metric)


def _size(call: Call) -> int:
    """Return the class of an embedding's size; chats are of one."""
    if call.kind != "embed":
        return 0
    return 1 + sum(call.prompt_tokens > most for most in SIZES)
