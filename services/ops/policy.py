"""What to do about a symptom: a remedy, or nothing and the reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

from services.ops.lessons import Lessons
from services.ops.symptoms import Symptom
from shared.events.ops import Verb

Remedy = Verb | Literal["move"]
"""A verb for the supervisor of the host, or `move`: quarantine here, place elsewhere."""

REMEDIES: dict[Symptom, tuple[Remedy, ...]] = {
    "hang": ("restart", "kill"),
    "memory": ("drain", "kill"),
    "degraded": ("restart", "roll_back"),
    "slow_answers": ("circuit", "drain"),
    "host_lost": ("move",),
}
"""Remedies in the order of the cold start; symptoms that are not here are only recorded."""


WORKING: frozenset[Symptom] = frozenset({"degraded", "slow_answers"})
"""Symptoms of a service that still does a part of its work: it is never quarantined for them."""


@dataclass(frozen=True)
class Views:
    """What the three views say, and what was tried already.

    `supervisor` whether the host's supervisor is heard; `answers` whether the service itself
    still answers a ping through the bus; `room` whether the intensity allows another remedy;
    `elsewhere` whether another host offers room for it; `fits` whether it had room for its
    memory when it started.
    """

    supervisor: bool
    answers: bool
    room: bool = True
    elsewhere: bool = False
    fits: bool = True
    tried: Sequence[Remedy] = ()


@dataclass(frozen=True)
class Decision:
    """A remedy with its reason; `remedy` None means that a person has to look, or nobody."""

    remedy: Remedy | None
    why: str
    escalate: bool = False


def decide(symptom: Symptom, views: Views, lessons: Lessons) -> Decision:
    """Return what to do now."""
    remedies = REMEDIES.get(symptom, ())
    if not remedies:
        return Decision(None, f"{symptom} is recorded; it has no remedy")
    if symptom == "host_lost":
        return _without_the_host(views)
    if symptom == "hang" and views.answers:
        return Decision(None, "it answers a ping: beats are lost, the service is not")
    if symptom == "memory" and not views.fits:
        return Decision(None, "it needs as much after every start", escalate=True)
    if not views.supervisor:
        return Decision(None, "no supervisor of that host is heard", escalate=True)
    left = [remedy for remedy in remedies if remedy not in views.tried]
    if not views.room or not left:
        why = "every remedy was tried" if views.room else "too many remedies"
        return _left_alone(why) if symptom in WORKING else _next_level(views, why)
    best = cast(Remedy, lessons.choose(symptom, remedies, left))
    expected = lessons.expected(symptom, best, remedies.index(best))
    return Decision(best, f"expected success {expected:.2f}")


def _left_alone(why: str) -> Decision:
    return Decision(None, f"{why}; it goes on, for a part of its work is done", escalate=True)


def _without_the_host(views: Views) -> Decision:
    if views.elsewhere and "move" not in views.tried:
        return Decision("move", "another host offers room", escalate=True)
    return Decision(None, "nobody can act on a host that is lost", escalate=True)


def _next_level(views: Views, why: str) -> Decision:
    """Escalate from the process to another host, and from there to a person."""
    if views.elsewhere and "move" not in views.tried:
        return Decision("move", f"{why}; another host offers room", escalate=True)
    return Decision("quarantine", why, escalate=True)
