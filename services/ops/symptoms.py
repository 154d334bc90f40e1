"""What a beat, or its absence, is a symptom of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.ops.instances import Instance
from shared.settings import OpsSettings

Symptom = Literal[
    "hang", "crash", "crash_loop", "slow_loop", "lost", "host_lost", "supervisor_lost",
    "partition", "memory", "degraded", "slow_answers", "dependency_down",
]  # fmt: skip

PASSIVE: frozenset[Symptom] = frozenset(
    {"slow_loop", "lost", "supervisor_lost", "partition", "dependency_down"}
)
"""Recorded and watched until they end; nothing is done about them by force."""

LOCAL_BEATS = 2.5
LOCAL_S = 2.0
"""A process that told its supervisor it lives, so many beats or seconds ago, does not hang."""

PARTITION_S = 60.0
"""Longest time that a living process may be cut off; then it is treated as hung."""

SLOW_S = 1.0
"""A loop that runs its timer this late is slow: requests wait as long."""

STARTING_S = 30.0
"""A service that is starting may load libraries in its loop; it is given this long."""

CALM_S = 0.25
CALM_BEATS = 5
"""A slow loop counts as recovered after so many beats below `CALM_S`."""


@dataclass(frozen=True)
class Finding:
    """A symptom with what it was concluded from."""

    symptom: Symptom
    cause: str
    evidence: dict[str, Any]


def silence(
    instance: Instance, child: Mapping[str, Any], limits: OpsSettings, at: float
) -> Finding | None:
    """Return `hang` or `lost` for a silence that is no accident, else None.

    No silence is a symptom after a goodbye, while draining, or when the supervisor's own
    word is that this process is gone: that is a crash, and in hand.
    """
    beat = instance.beat
    silent_s = instance.detector.silence(at)
    patience_s = STARTING_S if beat.state == "starting" else limits.pause_s
    if beat.state in ("goodbye", "draining") or silent_s <= patience_s:
        return None
    phi = instance.detector.phi(at)
    if phi < limits.phi or (beat.supervised and child and child.get("pid") != beat.pid):
        return None
    evidence = {"phi": round(min(phi, 1e6), 2), "silent_s": round(silent_s, 3), "pid": beat.pid}
    if beat.supervised and _lives(child, beat.interval_s) and silent_s < PARTITION_S:
        cause = f"cut off from the bus for {silent_s:.1f} s; its loop runs, says its supervisor"
        return Finding("partition", cause, evidence | {"child": dict(child)})
    if beat.supervised:
        cause = f"no beat for {silent_s:.1f} s while the process lives"
        return Finding("hang", cause, evidence | {"child": dict(child)})
    return Finding("lost", f"no beat for {silent_s:.1f} s, and no supervisor there", evidence)


def _lives(child: Mapping[str, Any], interval_s: float) -> bool:
    """Tell whether the supervisor heard the process itself, past the bus, a moment ago."""
    alive_s = child.get("alive_s")
    return isinstance(alive_s, int | float) and alive_s <= max(LOCAL_S, LOCAL_BEATS * interval_s)


def host_silence(
    supervisor: Instance, others: Iterable[Instance], limits: OpsSettings, at: float
) -> Finding | None:
    """Return `host_lost` when nobody on a host is heard, `supervisor_lost` when services are."""
    silent_s = supervisor.detector.silence(at)
    phi = supervisor.detector.phi(at)
    gone = supervisor.beat.state in ("goodbye", "draining")
    if gone or silent_s <= limits.pause_s or phi < limits.phi:
        return None
    heard = sorted(i.beat.service for i in others if i.detector.silence(at) <= limits.pause_s)
    evidence = {"phi": round(min(phi, 1e6), 2), "silent_s": round(silent_s, 3), "heard": heard}
    if heard:
        cause = f"its supervisor is silent for {silent_s:.1f} s; its services are heard"
        return Finding("supervisor_lost", cause, evidence)
    return Finding("host_lost", f"nobody there is heard for {silent_s:.1f} s", evidence)


def memory(instance: Instance) -> Finding | None:
    """Return `memory` when the resident memory is about to reach its cap."""
    cap = instance.beat.rss_cap_bytes
    if (found := instance.memory.ends_in_s(cap)) is None:
        return None
    left_s, rising = found
    rss = instance.beat.rss_bytes
    evidence = {"rss_bytes": rss, "cap_bytes": cap, "bytes_per_s": round(rising), "left_s": left_s}
    if instance.memory.never_fitted(cap):
        cause = f"{rss / 1e6:.0f} of {cap / 1e6:.0f} MB since its start"
        return Finding("memory", f"{cause}: its cap is too low for it", evidence)
    cause = f"{rss / 1e6:.0f} of {cap / 1e6:.0f} MB, {rising / 1e6:+.2f} MB/s"
    return Finding("memory", f"{cause}: the cap is reached in {left_s:.0f} s", evidence)


def answers(instance: Instance) -> Finding | None:
    """Return `degraded` when most answers fail by own fault, `slow_answers` when they are late."""
    if (faulty := instance.answering.faulty()) is not None:
        cause = f"{faulty['faults']} of {faulty['requests']} requests failed by its own fault"
        return Finding("degraded", cause, faulty)
    if dependency(instance) is None and (slow := instance.answering.slow()) is not None:
        cause = f"answers take {slow['mean_s']:.2f} s, usually {slow['usual_s']:.3f} s"
        return Finding("slow_answers", cause, slow)
    return None


def dependency(instance: Instance) -> Finding | None:
    """Return `dependency_down` when a router lost a model that it had, or that it must have.

    That is no fault of the router: restarting it would help nobody.
    """
    engine = instance.beat.info.get("engine")
    if instance.beat.service != "router" or not isinstance(engine, dict):
        return None
    wanted = engine.get("setting") in ("ollama", "openai") or instance.had_model
    if not wanted or engine.get("state") not in ("absent", "offline"):
        return None
    evidence = {name: engine.get(name) for name in ("engine", "setting", "state", "url", "model")}
    return Finding("dependency_down", f"no model answers at {engine.get('url') or '?'}", evidence)


def slowness(instance: Instance) -> Finding | None:
    """Return `slow_loop` when the last beat tells of a late event loop; its calm starts anew."""
    lag_s = instance.beat.loop_lag_s
    if lag_s < SLOW_S:
        return None
    instance.calm_beats = 0
    evidence = {"loop_lag_s": lag_s, "uptime_s": instance.beat.uptime_s}
    return Finding("slow_loop", f"the event loop ran {lag_s:.1f} s late", evidence)


def is_calm_again(instance: Instance) -> bool:
    """Count beats of a loop in time; tell whether there were enough to call it recovered."""
    if instance.beat.seq != instance.calm_seq:
        calm = instance.beat.loop_lag_s < CALM_S
        instance.calm_beats = instance.calm_beats + 1 if calm else 0
        instance.calm_seq = instance.beat.seq
    return instance.calm_beats >= CALM_BEATS
