"""Which part a heading plays, told by the words that people use for it."""

from __future__ import annotations

import re

from shared.events.tasks import Priority

ROLES: tuple[tuple[str, str], ...] = (
    ("next", r"\bnext (session|steps?)\b|\bfocus on\b"),
    ("pending", r"\b(pending|open items?|to-?\s?dos?|backlog|outstanding|still open|unfinished)\b"),
    ("decisions", r"\bdecisions?\b"),
    ("failed", r"\b(failed|dead ends?|did not work|didn'?t work)\b"),
    ("learnings", r"\b(learnings?|insights?|lessons?|learned|learnt)\b"),
    ("risks", r"\b(risks?|blockers?|blocked)\b"),
    ("metrics", r"\b(metrics?|numbers|figures|kpis?|statistics)\b"),
    ("commands", r"\b(commands?|how to (verify|run|test)|verification|build and test)\b"),
    ("artifacts", r"\b(files?|artifacts?|file locations)\b"),
    ("state", r"\b(state|services|environment|configuration)\b"),
    ("done", r"\b(accomplish\w*|completed|done|finished|where things stand|what was)\b"),
    ("goal", r"\b(summary|goal|objective|purpose|overview)\b"),
    ("notes", r"\bnotes?\b"),
    ("skip", r"^(\d+\. )?(resume|lineage)$"),
)
_ROLES = tuple((role, re.compile(pattern, re.IGNORECASE)) for role, pattern in ROLES)

_PRIORITIES = (
    (Priority.URGENT, re.compile(r"\b(urgent|critical|blocker|p0)\b", re.IGNORECASE)),
    (Priority.HIGH, re.compile(r"\b(high|p1)\b", re.IGNORECASE)),
    (Priority.NORMAL, re.compile(r"\b(medium|normal|p2)\b", re.IGNORECASE)),
    (Priority.LOW, re.compile(r"\b(low|p3|nice to have)\b", re.IGNORECASE)),
)


def role_of(title: str) -> str | None:
    """Return the part that a section with this title plays, or None."""
    return next((role for role, pattern in _ROLES if pattern.search(title)), None)


def priority_of(text: str) -> Priority | None:
    """Return the priority that a text names, the most pressing one first, or None."""
    return next((priority for priority, pattern in _PRIORITIES if pattern.search(text)), None)
