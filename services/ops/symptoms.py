"""What a beat, or its absence, is a symptom of. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.ops.instances import Instance
from shared.settings import OpsSettings

Symptom = Literal["hang", "crash", "slow_loop", "lost", "host_lost"]

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
    if beat.supervised:
        cause = f"no beat for {silent_s:.1f} s while the process lives"
        return Finding("hang", cause, evidence | {"child": dict(child)})
    return Finding("lost", f"no beat for {silent_s:.1f} s, and no supervisor there", evidence)


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
