"""What models cost, from the table that litellm ships, read as data without importing litellm."""

from __future__ import annotations

import importlib.util
import json
import mmap
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

TABLE = "model_prices_and_context_window_backup.json"
MAX_ENTRY = 65_536
"""Bytes of the table; an entry has about 1,000."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per token, exact; `cached` is that of a prompt's token that the vendor had read
    before, None where the table tells none."""

    prompt: Decimal
    completion: Decimal
    cached: Decimal | None = None

    def of(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> Decimal:
        """Return the price of so many tokens; the cached ones are among those of the prompt."""
        less = self.prompt - (self.prompt if self.cached is None else self.cached)
        whole = self.prompt * prompt_tokens + self.completion * completion_tokens
        return whole - less * min(cached_tokens, prompt_tokens) if cached_tokens else whole


def total(costs: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum of what calls cost; None when a part of it is unknown."""
    given = tuple(costs)
    return None if None in given else sum(filter(None, given), Decimal(0))


def table() -> Path | None:
    """Return the table's file in the installed litellm, or None without one."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / TABLE
    return path if path.is_file() else None


def read(path: Path | None, models: tuple[str, ...]) -> dict[str, Price]:
    """Return the prices of those of `models` that the table knows; an unknown one is left out.

    Only their own entries are parsed: the whole table would take 30 MB of memory.
    """
    if path is None:
        return {}
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        found = {model: _entry(text, model) for model in models if model}
    return {model: price for model, price in found.items() if price is not None}


def _entry(text: mmap.mmap, model: str) -> Price | None:
    """Return the price in the entry of this model; of tiers only the first counts."""
    place = re.search(rb'"' + re.escape(model.encode()) + rb'"\s*:\s*(?={)', text)
    if place is None:
        return None
    entry: dict[str, Any]
    section = text[place.end() : place.end() + MAX_ENTRY].decode(errors="ignore")
    entry, _ = json.JSONDecoder(parse_float=Decimal).raw_decode(section)
    prompt, completion = (entry.get(f"{way}_cost_per_token") for way in ("input", "output"))
    if prompt is None or completion is None:
        return None
    cached = entry.get("cache_read_input_token_cost")
    return Price(Decimal(prompt), Decimal(completion), None if cached is None else Decimal(cached))
