"""One line for people on each part of a score, told from the pair's own data."""

from __future__ import annotations

from services.match.asked import Asked
from services.match.money import text
from services.match.skills import canonical, implied, language
from shared.events import Profile, ScorePart

Pair = tuple[Asked, Profile]


def reason(view: str, name: str, value: float | None, pair: Pair) -> str:
    """Return why the part has its value, or why it has none."""
    if value is None:
        return f"unknown: {_UNKNOWN[view, name]}"
    return _KNOWN[view, name](pair, value)


def missing_word(part: ScorePart) -> str:
    """Return what would have to be known."""
    return _UNKNOWN[part.view, part.name]


def shown(profile: Profile) -> set[str]:
    """Return the canonical skills of a profile, with those that they bring along."""
    names = {canonical(skill.name) for skill in profile.skills}
    return names | {other for name in names for other in implied(name)}


def lacking(ask: Asked, profile: Profile) -> list[str]:
    """Return the required skills that the profile does not show."""
    there = shown(profile)
    return [name for name in ask.required if name not in there]


def _skills(pair: Pair, value: float) -> str:
    ask, profile = pair
    there = shown(profile)
    has = [name for name in (*ask.required, *ask.nice) if name in there]
    lacks = [name for name in (*ask.required, *ask.nice) if name not in there]
    told = [f"shows {', '.join(has)}"] if has else []
    told += [f"lacks {', '.join(lacks)}"] if lacks else []
    return "; ".join(told)


def _rate(pair: Pair, value: float) -> str:
    ask, profile = pair
    if profile.rate is None or ask.limit is None:
        return ""
    rate = text(profile.rate.minor, profile.rate.currency)
    limit = text(round(ask.limit), ask.currency)
    above = profile.rate.minor > ask.limit
    return f"asks {rate}, {'only ' if above else ''}{limit} is allowed"


def _languages(pair: Pair, value: float) -> str:
    ask, profile = pair
    speaks = {language(name) for name in profile.languages}
    lacks = [name for name in ask.languages if name not in speaks]
    return f"lacks {', '.join(lacks)}" if lacks else f"speaks {', '.join(ask.languages)}"


def _sectors(pair: Pair, value: float) -> str:
    ask, profile = pair
    known = {canonical(name) for name in profile.sectors}
    both = [name for name in ask.sectors if name in known]
    return f"knows {', '.join(both)}" if both else f"not in {', '.join(ask.sectors)}"


def _text(pair: Pair, value: float) -> str:
    return f"past work is {value:.0%} as close to the need as texts on one matter are"


def _level(pair: Pair, value: float) -> str:
    return f"mean level {value:.2f} in what is asked for"


def _available(pair: Pair, value: float) -> str:
    return "available" if value else "not available"


def _wishes(pair: Pair, value: float) -> str:
    return f"meets {value:.0%} of the wishes"


def _history(pair: Pair, value: float) -> str:
    return f"clients said yes {value:.0%} of the time, drawn towards 50% while few were asked"


def _client_history(pair: Pair, value: float) -> str:
    yes, times = pair[0].heard
    return f"providers said yes to this client {yes} of {times} times"


def _load(pair: Pair, value: float) -> str:
    return f"{value:.0%} of the capacity of {pair[1].capacity} is free"


_KNOWN = {
    ("client", "skills"): _skills,
    ("client", "level"): _level,
    ("client", "text"): _text,
    ("client", "rate"): _rate,
    ("client", "sectors"): _sectors,
    ("client", "languages"): _languages,
    ("client", "available"): _available,
    ("client", "history"): _history,
    ("client", "wishes"): _wishes,
    ("provider", "budget"): _rate,
    ("provider", "work"): _skills,
    ("provider", "sectors"): _sectors,
    ("provider", "load"): _load,
    ("provider", "history"): _client_history,
}
_UNKNOWN = {
    ("client", "skills"): "required skills, or the provider's skills",
    ("client", "level"): "levels of the skills asked for",
    ("client", "text"): "texts of past work, or of the need",
    ("client", "rate"): "rate and budget in one currency",
    ("client", "sectors"): "sectors of both sides",
    ("client", "languages"): "languages of both sides",
    ("client", "available"): "availability",
    ("client", "history"): "what clients said to this provider",
    ("client", "wishes"): "what the wishes are about",
    ("provider", "budget"): "rate and budget in one currency",
    ("provider", "work"): "required skills, or the provider's skills",
    ("provider", "sectors"): "sectors of both sides",
    ("provider", "load"): "capacity",
    ("provider", "history"): "what providers said to this client",
}
