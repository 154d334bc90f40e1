"""Profiles, needs, and the pairs that fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from cli.attachments import read
from cli.connection import ask, request, run
from cli.money import money, told
from cli.output import cut, emit_json, say, table, tell
from cli.wishes import build
from shared.bus import Bus
from shared.errors import InvalidInput
from shared.events.match import (
    Assignment,
    MatchAdd,
    MatchAssign,
    MatchFind,
    MatchFound,
    MatchList,
    MatchListAsk,
    MatchScore,
)
from shared.settings import Settings, load

FIND_S = 30.0


def add_profile(fields: dict[str, Any], as_json: bool) -> None:
    """Add one provider."""
    skills = [_skill(text) for text in fields["skills"] or ()]
    _add([{"profile": _given(fields) | {"skills": skills} | _money(fields, "rate")}], as_json)


def add_need(fields: dict[str, Any], as_json: bool) -> None:
    """Add one need."""
    _add([{"need": _given(fields) | _money(fields, "budget")}], as_json)


def add_file(path: Path, as_json: bool) -> None:
    """Add every profile and need of a JSON file."""
    try:
        document = orjson.loads(read(path).data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"PATH: {path}: not JSON: {error}", field="PATH") from None
    items = document if isinstance(document, list) else [document]
    _add([_wrapped(item) for item in items], as_json)


def _wrapped(item: Any) -> dict[str, Any]:
    """Return the item under its kind: a need has an id of its own, a profile has not."""
    if not isinstance(item, dict):
        raise InvalidInput("PATH: each entry must be a JSON object", field="PATH")
    if "profile" in item or "need" in item:
        return item
    return {"need" if "need_id" in item else "profile": item}


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _skill(text: str) -> dict[str, Any]:
    """Return `python:0.9` as name and level; a level that is no number is part of the name."""
    name, colon, level = text.rpartition(":")
    try:
        return {"name": name, "level": float(level)} if colon else {"name": text}
    except ValueError:
        return {"name": text}


def _money(fields: dict[str, Any], field: str) -> dict[str, Any]:
    text = fields[field]
    return {} if text is None else {field: money(text, load().match.currency, f"--{field}")}


def _add(items: list[dict[str, Any]], as_json: bool) -> None:
    """Check everything before anything is sent, then add one after the other."""
    wishes = [build(MatchAdd, item) for item in items]

    async def work(bus: Bus, _: Settings) -> list[MatchList]:
        return [await request(bus, "match.add", wish, MatchList) for wish in wishes]

    added = run(work)
    if as_json:
        emit_json({"added": len(added), "last": added[-1] if added else None})
    else:
        tell(f"{len(added)} added")


def find(fields: dict[str, Any], as_json: bool) -> None:
    """Print the ranking for one need."""
    found = ask("match.find", build(MatchFind, fields), MatchFound, FIND_S)
    if as_json:
        emit_json(found)
        return
    _scores(list(found.scores))
    for one in found.scores:
        if one.phrase:
            tell()
            tell(one.phrase)
    say(f"{found.considered} considered, {found.blocked} ruled out {found.notice}".rstrip())


def assign(fields: dict[str, Any], as_json: bool) -> None:
    """Print the pairs for the whole pool."""
    found = ask("match.assign", build(MatchAssign, fields), Assignment, FIND_S)
    if as_json:
        emit_json(found)
        return
    _scores(list(found.pairs))
    say(f"sum {found.total:.2f}, {found.blocking_pairs} pairs would rather have each other")
    if found.unmatched_needs:
        say(f"without a provider: {', '.join(found.unmatched_needs)}")


def _scores(scores: list[MatchScore]) -> None:
    if not scores:
        say("nobody fits: add profiles with `sovereign match add profile`")
        return
    columns = ("score", "need", "provider", "client", "provider's", "known", "why")
    table(columns, [_score(one) for one in scores])


def _score(one: MatchScore) -> tuple[object, ...]:
    reasons = [part.reason for part in one.parts if part.reason]
    why = "; ".join(one.blockers or tuple(reasons))
    name = f"{one.provider_name} ({one.provider_id})" if one.provider_name else one.provider_id
    shares = [f"{share:.2f}" for share in (one.client_view, one.provider_view, one.confidence)]
    return (f"{one.total:.2f}", one.need_id, name, *shares, cut(why, 100))


def list_all(limit: int, as_json: bool) -> None:
    """Print providers, needs and deals."""
    found = ask("match.list", build(MatchListAsk, {"limit": limit}), MatchList)
    if as_json:
        emit_json(found)
        return
    providers = [
        (p.party_id, p.name, told(p.rate), ", ".join(skill.name for skill in p.skills))
        for p in found.profiles
    ]
    table(("provider", "name", "rate", "skills"), providers)
    tell()
    needs = [(n.need_id, n.party_id, told(n.budget), cut(n.title, 60)) for n in found.needs]
    table(("need", "client", "budget", "title"), needs)
    tell()
    deals = [(d.deal_id, d.state, d.client_id, d.provider_id, told(d.amount)) for d in found.deals]
    table(("deal", "state", "client", "provider", "amount"), deals)
