"""What people write into forms, turned into needs, profiles and amounts; errors name the field."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from shared import currencies
from shared.bus import invalid
from shared.errors import InvalidInput
from shared.events import Constraint, Money, Need, Profile

Given = dict[str, str]
Built = TypeVar("Built", Need, Profile)
ME = "me"
"""Stands for the party in what is sent; match puts the token's own id there."""


def need(given: Given, before: Need | None, currency: str) -> Need:
    """Return the need of a form; what the form does not show stays as it was `before`."""
    languages = words(given.get("languages", ""))
    rules = [rule for rule in (before.constraints if before else ()) if rule.field != "language"]
    if "must_speak" in given:
        rules += [Constraint(field="language", op="has", value=name) for name in languages]
    return _built(
        Need,
        {
            "need_id": before.need_id if before else ME,
            "party_id": ME,
            "title": given.get("title", ""),
            "text": given.get("text", ""),
            "required": words(given.get("required", "")),
            "nice": words(given.get("nice", "")),
            "sectors": words(given.get("sectors", "")),
            "languages": languages,
            "budget": amount(given, "budget", currency),
            "hours": number(given, "hours"),
            "openings": number(given, "openings") or 1,
            "constraints": rules,
            "active": "closed" not in given,
        },
    )


def profile(given: Given, before: Profile | None, currency: str) -> Profile:
    """Return the profile of a form; years and evidence of a skill that stays are kept."""
    kept = {skill.name: skill for skill in before.skills} if before else {}
    skills = [_skill(line, kept) for line in given.get("skills", "").splitlines() if line.strip()]
    return _built(
        Profile,
        {
            "party_id": ME,
            "name": given.get("name", ""),
            "skills": skills,
            "sectors": words(given.get("sectors", "")),
            "languages": words(given.get("languages", "")),
            "timezone": given.get("timezone") or None,
            "rate": amount(given, "rate", currency),
            "min_budget": amount(given, "min_budget", currency),
            "available": {"yes": True, "no": False}.get(given.get("available", "")),
            "capacity": number(given, "capacity") or 0,
            "bio": given.get("bio", ""),
            "items": paragraphs(given.get("items", "")),
            "active": "left" not in given,
        },
    )


def words(text: str) -> tuple[str, ...]:
    """Return what stands between commas or on lines, once each."""
    found = (word.strip() for line in text.splitlines() for word in line.split(","))
    return tuple(dict.fromkeys(word for word in found if word))


def paragraphs(text: str) -> tuple[str, ...]:
    """Return what stands between empty lines."""
    return tuple(part.strip() for part in text.split("\n\n") if part.strip())


def amount(given: Given, field: str, currency: str) -> Money | None:
    """Return an amount above zero; None where nothing was written."""
    text = given.get(field, "")
    if not text:
        return None
    found = currencies.parse(text, currency, field)
    if found.minor <= 0:
        raise InvalidInput(f"{field}: {text} is not more than nothing", field=field)
    if found.currency not in currencies.EXPONENTS:
        raise InvalidInput(f"{field}: {found.currency} is no currency like USD", field=field)
    return found


def number(given: Given, field: str) -> float | None:
    """Return a number; None where nothing was written."""
    text = given.get(field, "").replace(",", ".")
    try:
        return float(text) if text else None
    except ValueError:
        raise InvalidInput(f"{field}: {text!r} is not a number", field=field) from None


def _skill(line: str, kept: dict[str, Any]) -> dict[str, Any]:
    """Return `python: 0.9` as name and level; a level that is no number is part of the name."""
    name, colon, text = line.strip().rpartition(":")
    try:
        level = float(text) if colon else None
    except ValueError:
        level = None
    name = name.strip() if level is not None else line.strip()
    before = kept.get(name)
    more = before.model_dump(include={"years", "evidence"}) if before else {}
    return {**more, "name": name, "level": level}


def _built(kind: type[Built], values: dict[str, Any]) -> Built:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from None
