"""Profiles, needs and outcomes from files of others: CSV, JSON or JSON lines, read with tolerance.

Columns are known by many names. What a cell does not tell, or tells in a way that cannot be read,
stays unknown and is counted; only an entry without what makes it one is left out.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import ValidationError

from cli.attachments import read, text_of
from shared import currencies
from shared.errors import InvalidInput
from shared.events.match import MatchAdd, Outcome
from shared.subjects import TOKEN_PATTERN

Kind = Literal["profile", "need", "outcome"]
NAMES = {
    "id": "id party_id provider_id candidate_id resume_id user_id freelancer_id uid",
    "need_id": "need_id job_id project_id posting_id vacancy_id id uid",
    "name": "name full_name provider candidate freelancer",
    "title": "title job_title position role headline job",
    "client": "client_id client party_id company company_id company_name employer organization",
    "skills": "skills skill key_skills skill_set skills_list",
    "required": "required required_skills must_have must_haves",
    "nice": "nice nice_to_have preferred preferred_skills optional_skills skills skill key_skills"
    " skill_set",
    "sectors": "sectors sector industry category domain function",
    "languages": "languages language spoken_languages",
    "timezone": "timezone time_zone tz",
    "rate": "rate hourly_rate price hourly_price salary expected_salary",
    "budget": "budget max_rate max_budget fixed_price salary_max max_salary",
    "currency": "currency salary_currency",
    "hours": "hours workload estimated_hours",
    "text": "text description bio summary about resume resume_str job_description cv profile"
    " overview content",
    "items": "items experience projects past_work work_experience history",
    "available": "available availability",
    "capacity": "capacity",
    "provider_id": "provider_id provider candidate_id resume_id user_id freelancer_id",
    "yes": "yes outcome label accepted hired match relevant success result decision",
    "side": "side said_by by",
}
_KNOWN = {name: tuple(others.split()) for name, others in NAMES.items()}
_YES = frozenset(
    ("1", "true", "yes", "y", "accepted", "hired", "match", "matched", "good", "good fit", "fit",
     "potential fit", "relevant", "success")
)  # fmt: skip
_NO = frozenset(
    ("0", "false", "no", "n", "declined", "rejected", "none", "bad", "no fit", "unfit",
     "irrelevant", "failure")
)  # fmt: skip
_UNKNOWN = frozenset(("", "nan", "none", "null", "n/a", "na", "-", "unknown", "not specified"))
_SPLIT = re.compile(r"[,;|/\n•]+")


@dataclass
class Taken:
    """What a file came to: bodies to send, entries left out, cells that were not understood."""

    bodies: list[Any] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)


def rows(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a file: a list or lines of JSON objects, or CSV with a first line."""
    file = read(path)
    text = text_of(file.data) or file.data.decode("latin-1")
    text = text.removeprefix("\ufeff").strip()
    if text.startswith(("[", "{")):
        return _json(text, path)
    csv.field_size_limit(10_000_000)
    try:
        kind = csv.Sniffer().sniff(text[:20_000].split("\n")[0], delimiters=",;\t|")
    except csv.Error:
        kind = csv.excel
    return [dict(row) for row in csv.DictReader(io.StringIO(text), dialect=kind)]


def _json(text: str, path: Path) -> list[dict[str, Any]]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = [
            _line(line, n, path) for n, line in enumerate(text.splitlines(), 1) if line.strip()
        ]
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) for one in found):
        raise InvalidInput(f"PATH: {path}: each entry must be a JSON object", field="PATH")
    return found


def _line(line: str, number: int, path: Path) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        where = f"PATH: {path}: line {number}"
        raise InvalidInput(f"{where} is not JSON: {error}", field="PATH") from None


def take(found: list[dict[str, Any]], kind: Kind, currency: str) -> Taken:
    """Return what the entries say of profiles, needs or outcomes."""
    taken = Taken()
    make = {"profile": _profile, "need": _need, "outcome": _outcome}[kind]
    for number, row in enumerate(found, 1):
        plain = {_key(name): value for name, value in row.items() if name}
        cells = _Cells(plain, taken.unknown, currency)
        try:
            taken.bodies.append(make(cells, number))
        except ValidationError as error:
            wrong = error.errors()[0]
            taken.left_out[f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}"] += 1
        except InvalidInput as error:
            taken.left_out[error.message] += 1
    return taken


class _Cells:
    """One entry, read by the names that are known for each thing."""

    def __init__(self, row: dict[str, Any], unknown: Counter[str], currency: str) -> None:
        self._row = row
        self._unknown = unknown
        self._currency = currency

    def raw(self, name: str) -> Any:
        """Return the first cell that tells anything under one of the names, or None."""
        for other in _KNOWN[name]:
            value = self._row.get(other)
            if value is not None and str(value).strip().lower() not in _UNKNOWN:
                return value
        return None

    def text(self, name: str) -> str:
        """Return a text; empty when nothing is told."""
        value = self.raw(name)
        if isinstance(value, list):
            return "\n\n".join(str(one) for one in value)
        return "" if value is None else str(value).strip()

    def words(self, name: str) -> list[str]:
        """Return names from a list, or from a cell that lists them."""
        value = self.raw(name)
        if isinstance(value, dict):
            value = list(value)
        parts = value if isinstance(value, list) else _SPLIT.split(str(value or "").strip("[]"))
        names = (part.get("name", "") if isinstance(part, dict) else part for part in parts)
        found = (str(one).strip(" '\"\t")[:100] for one in names)
        return list(dict.fromkeys(one for one in found if one))[:200]

    def money(self, name: str) -> dict[str, Any] | None:
        """Return an amount above zero; what cannot be read is counted and unknown."""
        value = self.raw(name)
        if isinstance(value, dict):
            return dict(value)
        text = "" if value is None else str(value).replace(",", "").replace("$", "").strip()
        unit = str(self.raw("currency") or self._currency).upper()
        found: dict[str, Any] | None = self._read(name, text, lambda: _amount(text, unit))
        return found

    def number(self, name: str) -> float | None:
        """Return a number above zero, or None."""
        text = self.text(name)
        found = self._read(name, text, lambda: float(text))
        return found if found is not None and 0 < found < 1e6 else None

    def said(self, name: str) -> bool | None:
        """Return yes or no, or None for anything else."""
        word = self.text(name).lower().removesuffix(".0")
        if word in _YES or word in _NO:
            return word in _YES
        if word:
            self._unknown[name] += 1
        return None

    def _read(self, name: str, text: str, reading: Any) -> Any:
        if not text:
            return None
        try:
            return reading()
        except (InvalidInput, ValueError):
            self._unknown[name] += 1
            return None


def _amount(text: str, unit: str) -> dict[str, Any] | None:
    found = currencies.parse(text, unit, "amount")
    return found.model_dump() if found.minor > 0 else None


def _profile(cells: _Cells, number: int) -> MatchAdd:
    identity = token(cells.text("id") or cells.text("name") or f"p{number}")
    name = cells.text("name") or cells.text("title") or identity
    profile = {
        "party_id": identity,
        "name": name[:200],
        "skills": [{"name": one} for one in cells.words("skills")],
        "sectors": cells.words("sectors"),
        "languages": cells.words("languages"),
        "timezone": cells.text("timezone") or None,
        "rate": cells.money("rate"),
        "available": cells.said("available"),
        "capacity": int(cells.number("capacity") or 1),
        "bio": cells.text("text")[:50_000],
        "items": [part[:20_000] for part in cells.text("items").split("\n\n") if part][:100],
    }
    return MatchAdd.model_validate({"profile": profile})


def _need(cells: _Cells, number: int) -> MatchAdd:
    need = {
        "need_id": token(cells.text("need_id") or f"n{number}"),
        "party_id": token(cells.text("client") or "imported"),
        "title": (cells.text("title") or cells.text("text"))[:500],
        "required": cells.words("required"),
        "nice": cells.words("nice"),
        "sectors": cells.words("sectors"),
        "languages": cells.words("languages"),
        "budget": cells.money("budget"),
        "hours": cells.number("hours"),
        "text": cells.text("text")[:50_000],
    }
    return MatchAdd.model_validate({"need": need})


def _outcome(cells: _Cells, number: int) -> Outcome:
    yes = cells.said("yes")
    if yes is None:
        raise InvalidInput("yes: neither yes nor no is told", field="yes")
    if not cells.text("provider_id"):
        raise InvalidInput("provider_id: nobody is named", field="provider_id")
    return Outcome.model_validate(
        {
            "client_id": token(cells.text("client") or "imported"),
            "provider_id": token(cells.text("provider_id")),
            "side": cells.text("side").lower() or "client",
            "yes": yes,
            "need_id": token(cells.text("need_id")) if cells.text("need_id") else "",
        }
    )


def token(text: str) -> str:
    """Return the text as an id; one that had to be changed keeps a mark of what it was."""
    if re.fullmatch(TOKEN_PATTERN, text):
        return text
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-")[:40]
    mark = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{plain}-{mark}" if plain else mark


def _key(name: str) -> str:
    """Return a column's name as it is looked up: `Job Title` is `job_title`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(name).strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
