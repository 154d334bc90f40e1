"""What to do about a symptom: a remedy, or nothing and the reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.ops.lessons import Lessons
from services.ops.symptoms import Symptom
from shared.events.ops import Verb

REMEDIES: dict[Symptom, tuple[Verb, ...]] = {"hang": ("restart", "kill")}
"""Remedies in the order of the cold start; symptoms that are not here are only recorded."""


@dataclass(frozen=True)
class Views:
    """What the three views say, and what was tried already.

    `supervisor` whether the host's supervisor is heard; `answers` whether the service itself
    still answers a ping through the bus; `room` whether the intensity allows another remedy.
    """

    supervisor: bool
    answers: bool
    room: bool = True
    tried: Sequence[Verb] = ()


@dataclass(frozen=True)
class Decision:
    """A remedy with its reason; `remedy` None means that a person has to look, or nobody."""

    remedy: Verb | None
    why: str
    escalate: bool = False


def decide(symptom: Symptom, views: Views, lessons: Lessons) -> Decision:
    """Return what to do now."""
    remedies = REMEDIES.get(symptom, ())
    if not remedies:
        return Decision(None, f"{symptom} is recorded; it has no remedy")
    if views.answers:
        return Decision(None, "it answers a ping: beats are lost, the service is not")
    if not views.supervisor:
        return Decision(None, "no supervisor of that host is heard", escalate=True)
    if not views.room:
        return Decision("quarantine", "too many remedies in a row", escalate=True)
    left: list[Verb] = [remedy for remedy in remedies if remedy not in views.tried]
    if not left:
        return Decision("quarantine", "every remedy was tried", escalate=True)
    best = max(left, key=lambda remedy: lessons.expected(symptom, remedy, remedies.index(remedy)))
    return Decision(
        best, f"expected success {lessons.expected(symptom, best, remedies.index(best)):.2f}"
    )
