"""What the exports of OpenAI, Anthropic, Google and ccusage call the same things."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

MOST = 10**15
"""A count above is no count."""
PLAIN = re.compile(r"[^a-z0-9]+")
GROUPED = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
"""With commas between its thousands. Any other comma may be a decimal one: 0,75 is not 75."""
DOLLARS = ("USD", "US$", "$")

MODEL = ("model", "model_name", "modelname", "model_version", "modelversion", "snapshot_id",
         "model_id", "modelid")  # fmt: skip
FRESH = ("input_tokens", "prompt_tokens", "inputtokens", "n_context_tokens_total",
         "uncached_input_tokens", "usage_input_tokens_no_cache", "prompttokencount",
         "context_tokens", "input")  # fmt: skip
CACHED = ("cache_read_input_tokens", "cachereadtokens", "usage_input_tokens_cache_read",
          "cachereadinputtokens", "cachedcontenttokencount", "cache_read_tokens")  # fmt: skip
WRITTEN = ("cache_creation_input_tokens", "cachecreationtokens", "cachecreationinputtokens",
           "cache_creation_tokens")  # fmt: skip
PARTS = ("usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h",
         "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")  # fmt: skip
"""Of what was written to a cache, where no sum is told."""
WITHIN = ("input_cached_tokens", "n_cached_context_tokens_total", "cached_tokens")
"""Cached tokens that the count of input tokens has in it already."""
OUTPUT = ("output_tokens", "completion_tokens", "outputtokens", "n_generated_tokens_total",
          "usage_output_tokens", "candidatestokencount", "generated_tokens", "output")  # fmt: skip
REQUESTS = ("num_model_requests", "num_requests", "n_requests", "requests", "request_count")
COST = ("cost_usd", "costusd", "cost", "totalcost", "total_cost", "amount_value", "cost_in_usd",
        "spend")  # fmt: skip
CURRENCY = ("currency", "amount_currency", "cost_currency", "currency_code")
CALL = ("message_id", "requestid", "request_id")
"""What names one call: logs of sessions tell a call again with each part of its answer."""
WORK = ("operation", "endpoint", "line_item", "usage_type", "object", "kind", "service_description",
        "sku_description")  # fmt: skip
WHEN = ("timestamp", "start_time", "starting_at", "date", "usage_date_utc", "usage_start_date",
        "start_time_iso", "day", "month", "createdat", "starttime")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Usage:
    """One entry of an export; None is unknown. `prompt` has the cached tokens in it.

    `call` is the same for entries that tell of the same call; empty when the export names none.
    """

    model: str
    prompt: int
    cached: int
    completion: int
    requests: int | None
    cost: Decimal | None
    work: str
    day: str
    call: str = ""


class NotUsage(ValueError):
    """An entry that cannot be counted; the message says why."""


def read(entry: Mapping[str, Any]) -> Usage:
    """Return the usage in an entry; raise `NotUsage` for what has no model or no counts."""
    found = flat(entry)
    model = _text(found, MODEL) or _sku(found)
    if not model:
        raise NotUsage("no model is named")
    counts = {name: _count(found, names) for name, names in _COUNTS.items()}
    cost = _money(found)
    if all(value is None for value in counts.values()) and cost is None:
        raise NotUsage(_nothing(found))
    written = counts["written"]
    if written is None:
        written = sum(_whole(name, found[name]) for name in PARTS if name in found)
    fresh, apart = counts["fresh"] or 0, (counts["cached"] or 0) + written
    return Usage(
        model=model[:200],
        prompt=fresh + apart,
        cached=(counts["cached"] or 0) + (_count(found, WITHIN) or 0),
        completion=counts["output"] or 0,
        requests=_count(found, REQUESTS),
        cost=cost,
        work=_text(found, WORK).lower(),
        day=_day(found),
        call=" ".join(str(found[name]) for name in CALL if name in found)[:400],
    )


_COUNTS = {"fresh": FRESH, "cached": CACHED, "written": WRITTEN, "output": OUTPUT}


def flat(entry: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return the plain values of an entry by their last name, the outermost winning.

    An inner name also stands with that of its parent: `amount.value` is `amount_value`. A sign in
    a name, as in `Cost (€)`, tells the currency.
    """
    found: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    for key, value in entry.items():
        name = PLAIN.sub("_", str(key).lower()).strip("_")
        if isinstance(value, Mapping) and depth < 4:
            below = flat(value, depth + 1)
            inner |= below | {f"{name}_{key}": one for key, one in below.items()}
        elif value not in (None, ""):
            found[name] = value
            sign = next((one for one in str(key) if unicodedata.category(one) == "Sc"), None)
            found |= {"currency": sign} if sign else {}
    return inner | found


def _count(found: dict[str, Any], names: tuple[str, ...]) -> int | None:
    """Return the count under the first of these names that is there, or None."""
    name = next((one for one in names if one in found), None)
    return None if name is None else _whole(name, found[name])


def _whole(name: str, value: Any) -> int:
    try:
        number = Decimal(_ungrouped(str(value)))
        whole = int(number)
    except (InvalidOperation, ValueError, OverflowError):
        raise NotUsage(f"{name} is no number: {str(value)[:40]!r}") from None
    if number != whole or not 0 <= whole <= MOST or isinstance(value, bool):
        raise NotUsage(f"{name} is no count: {str(value)[:40]!r}")
    return whole


def _ungrouped(text: str) -> str:
    """Return a number without the commas between its thousands, other texts as they are."""
    return text.replace(",", "") if GROUPED.fullmatch(text.strip()) else text


def _currency(found: dict[str, Any]) -> str:
    return (_text(found, CURRENCY) or DOLLARS[0]).upper()


def _nothing(found: dict[str, Any]) -> str:
    """Say why an entry has nothing to count."""
    if any(name in found for name in COST):
        return f"the cost is in {_currency(found)[:10]}, not in US dollars, and no tokens are told"
    return "neither tokens nor a cost are told"


def _money(found: dict[str, Any]) -> Decimal | None:
    """Return the cost in US dollars; None when none is told, or in another currency."""
    name = next((one for one in COST if one in found), None)
    if name is None or _currency(found) not in DOLLARS:
        return None
    try:
        amount = Decimal(_ungrouped(str(found[name]).strip().removeprefix("$")))
    except InvalidOperation:
        raise NotUsage(f"{name} is no amount: {str(found[name])[:40]!r}") from None
    if not amount.is_finite() or amount < 0 or amount > MOST:
        raise NotUsage(f"{name} is no amount: {str(found[name])[:40]!r}")
    return amount


def _text(found: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((str(found[name]).strip() for name in names if found.get(name)), "")


def _sku(found: dict[str, Any]) -> str:
    """Return the model in a line of Google's bill: `Gemini 1.5 Flash Text Input - …`."""
    words = str(found.get("sku_description") or "")
    named = re.match(r"(?i)\s*(gemini[ \d.]+(?:flash-lite|flash lite|flash|pro|ultra)?)", words)
    return named.group(1).strip().lower().replace(" ", "-") if named else ""


def _day(found: dict[str, Any]) -> str:
    """Return the day as 2026-11-23, or the empty text when it is not told."""
    told = next((found[name] for name in WHEN if name in found), "")
    if isinstance(told, int | float) or str(told).isdigit():
        seconds = float(told) / (1000 if float(told) > 1e11 else 1)
        try:
            return datetime.fromtimestamp(seconds, UTC).date().isoformat()
        except (OverflowError, ValueError, OSError):
            return ""
    named = re.match(r"\d{4}-\d{2}(-\d{2})?", str(told))
    return named.group(0) if named else ""
