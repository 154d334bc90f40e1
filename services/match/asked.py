"""A need made ready for scoring: names canonical, the allowed rate worked out, text as words."""

from __future__ import annotations

from dataclasses import dataclass

from services.match.skills import canonical, language
from services.match.words import terms
from shared.events import Constraint, Need


@dataclass(frozen=True)
class Asked:
    """What a client asks for. `limit` is the highest rate it allows, in minor units, or None.

    `heard` is (yes, asked): what providers answered to this client so far.
    """

    need: Need
    required: tuple[str, ...]
    nice: tuple[str, ...]
    sectors: tuple[str, ...]
    languages: tuple[str, ...]
    limit: float | None
    currency: str
    words: dict[str, float]
    hard: tuple[Constraint, ...]
    wishes: tuple[Constraint, ...]
    heard: tuple[int, int]


def asked(need: Need, heard: tuple[int, int] = (0, 0)) -> Asked:
    """Return the need made ready."""
    required = _once(canonical(name) for name in need.required)
    return Asked(
        need=need,
        required=required,
        nice=tuple(n for n in _once(canonical(name) for name in need.nice) if n not in required),
        sectors=_once(canonical(name) for name in need.sectors),
        languages=_once(language(name) for name in need.languages),
        limit=_limit(need),
        currency=need.budget.currency if need.budget else "",
        words=terms(f"{need.title}\n{need.text}"),
        hard=tuple(rule for rule in need.constraints if rule.hard),
        wishes=tuple(rule for rule in need.constraints if not rule.hard),
        heard=heard,
    )


def _once(names: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))  # type: ignore[call-overload]


def _limit(need: Need) -> float | None:
    if need.budget is None:
        return None
    return need.budget.minor / (need.hours or 1.0)
