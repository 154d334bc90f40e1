"""Recommendations by rule, each with the figures that speak for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from services.router.recent import Recent
from services.router.tuning.levers import plain
from services.router.tuning.metrics import share
from shared.events import CacheStatus, Recommendation
from shared.settings import RouterSettings

ENOUGH = 20
"""Calls; with fewer there is nothing to advise."""
FAILS_OFTEN = 0.1
FOR_EVER = "-1"
LONGEST_TTL_S = 7 * 86_400.0
Rule = Callable[[Recent, CacheStatus, RouterSettings], Recommendation | None]


def advice(
    recent: Recent, cache: CacheStatus, settings: RouterSettings
) -> tuple[Recommendation, ...]:
    """Return what is worth changing."""
    found = [rule(recent, cache, settings) for rule in RULES]
    return tuple(one for one in found if one is not None)


def weights(recent: Recent, known: Mapping[str, float]) -> tuple[Recommendation, ...]:
    """Return which hosts should be given less, as they fail more; `known` are their weights."""
    rows = [row for row in recent.judged if row["host"] in known]
    counts = Counter(row["host"] for row in rows)
    failed = Counter(row["host"] for row in rows if row["error"] is not None)
    found = []
    for host in sorted(counts):
        others = len(rows) - counts[host]
        rate = failed[host] / counts[host]
        usual = (failed.total() - failed[host]) / others if others else 1.0
        if min(counts[host], others) >= ENOUGH and rate >= max(FAILS_OFTEN, 3 * usual):
            found.append(_lighter(host, known[host], rate, usual))
    return tuple(found)


def _lighter(host: str, weight: float, rate: float, usual: float) -> Recommendation:
    return Recommendation(
        id=f"weights-{host}",
        title=f"Give {host} less work",
        why=f"{rate:.0%} of its calls failed, {usual:.0%} of the others'.",
        gain="Fewer calls that are asked twice; see what is wrong with it as well.",
        applicable=True,
        setting=f"weights.{host}",
        current=plain(weight),
        proposed=plain(weight / 4),
        metric="failed",
        measured=rate,
        expected=usual,
    )


def alias(name: str, now: str, best: str, why: str) -> Recommendation | None:
    """Return the advice to let an alias stand for the model that was measured to be better."""
    if now == best:
        return None
    return Recommendation(
        id=f"aliases-{name}",
        title=f"Let {name} stand for {best}",
        why=f"It stands for {now}. Of the models at hand, {why}.",
        gain="Better or sooner answers for what asks by this name.",
        applicable=True,
        setting=f"aliases.{name}",
        current=now,
        proposed=best,
        metric="failed",
    )


def _queue(recent: Recent, _: CacheStatus, settings: RouterSettings) -> Recommendation | None:
    waited = sum(row["queue_s"] for row in recent.good)
    total = sum(row["total_s"] for row in recent.good)
    if len(recent.good) < ENOUGH or waited < 0.25 * total:
        return None
    return Recommendation(
        id="slots",
        title=f"Let more than {settings.slots} request(s) run at a time",
        why=f"{waited / total:.0%} of the time of {len(recent.good)} calls was waiting in line.",
        gain=f"Up to {waited:.0f} s of {total:.0f} s, if the hardware has room:"
        " set OLLAMA_NUM_PARALLEL and SOVEREIGN_ROUTER__SLOTS to the same number.",
        metric="queue",
        measured=waited / total,
    )


def _warm(recent: Recent, _: CacheStatus, settings: RouterSettings) -> Recommendation | None:
    loading = sum(row["load_s"] or 0.0 for row in recent.good)
    total = sum(row["total_s"] for row in recent.good)
    if len(recent.good) < ENOUGH or loading < 0.1 * total or settings.keep_alive == FOR_EVER:
        return None
    return Recommendation(
        id="keep_alive",
        title="Keep the model loaded for longer",
        why=f"{loading / total:.0%} of the time was loading (keep_alive {settings.keep_alive}).",
        gain=f"Up to {loading:.0f} s of {total:.0f} s: SOVEREIGN_ROUTER__KEEP_ALIVE=-1.",
        applicable=True,
        setting="keep_alive",
        current=settings.keep_alive,
        proposed=FOR_EVER,
        metric="load",
        measured=loading / total,
        expected=0.0,
    )


def _cut(recent: Recent, _: CacheStatus, settings: RouterSettings) -> Recommendation | None:
    cut = recent.errors("output_cut")
    if cut < 3 or cut < 0.02 * len(recent.rows):
        return None
    return Recommendation(
        id="max_tokens",
        title="Allow longer answers",
        why=f"{cut} of {len(recent.rows)} calls were cut at {settings.max_tokens} tokens.",
        gain="Answers instead of errors: SOVEREIGN_ROUTER__MAX_TOKENS.",
        **_doubled("max_tokens", settings.max_tokens, 131_072),
        metric="cut",
        measured=cut / len(recent.rows),
        expected=0.0,
    )


def _context(recent: Recent, _: CacheStatus, settings: RouterSettings) -> Recommendation | None:
    refused = recent.errors("input_too_long")
    if refused < 3 or refused < 0.02 * len(recent.rows):
        return None
    return Recommendation(
        id="num_ctx",
        title="Give the model a larger context",
        why=f"{refused} of {len(recent.rows)} prompts did not fit {settings.num_ctx} tokens.",
        gain="Answers instead of refusals, for more memory: SOVEREIGN_ROUTER__NUM_CTX.",
        **_doubled("num_ctx", settings.num_ctx, 1_048_576),
        metric="too_long",
        measured=refused / len(recent.rows),
        expected=0.0,
    )


def _cache_size(
    recent: Recent, cache: CacheStatus, settings: RouterSettings
) -> Recommendation | None:
    if cache.evictions < ENOUGH or not cache.hits:
        return None
    return Recommendation(
        id="cache_entries",
        title="Make the cache larger",
        why=f"{cache.evictions} answers were dropped for room while {cache.hits} looks hit.",
        gain=f"More hits than {cache.hit_rate or 0:.0%}: SOVEREIGN_ROUTER__CACHE_ENTRIES.",
        **_doubled("cache_entries", settings.cache_entries, 1_000_000),
        metric="hits",
        measured=share(recent, "hits"),
    )


def _cache_ttl(_: Recent, cache: CacheStatus, settings: RouterSettings) -> Recommendation | None:
    looks = cache.hits + cache.misses + cache.coalesced
    if cache.expired < ENOUGH or cache.expired < 0.05 * looks:
        return None
    found = cache.hits + cache.coalesced
    longer = min(4 * settings.cache_ttl_s, LONGEST_TTL_S)
    return Recommendation(
        id="cache_ttl_s",
        title="Keep answers in the cache for longer",
        why=f"{cache.expired} of {looks} looks came after the answer had expired.",
        gain=f"Up to {(found + cache.expired) / looks:.0%} hits instead of {found / looks:.0%}.",
        applicable=longer > settings.cache_ttl_s,
        setting="cache_ttl_s",
        current=plain(settings.cache_ttl_s),
        proposed=plain(longer),
        metric="hits",
        measured=found / looks,
        expected=(found + cache.expired) / looks,
    )


def _repeatable(recent: Recent, _: CacheStatus, __: RouterSettings) -> Recommendation | None:
    fresh = [row for row in recent.good if row["cache"] == "off"]
    if len(recent.good) < ENOUGH or len(fresh) < 0.8 * len(recent.good):
        return None
    return Recommendation(
        id="deterministic",
        title="Ask with temperature 0 or a seed where the answer should not vary",
        why=f"{len(fresh)} of {len(recent.good)} calls could not use the cache at all.",
        gain="Repeated requests answered in milliseconds; how many repeat is not known before.",
    )


def _engine(recent: Recent, _: CacheStatus, __: RouterSettings) -> Recommendation | None:
    by_rule = sum(row["engine"] == "offline" for row in recent.rows)
    if not by_rule:
        return None
    return Recommendation(
        id="engine",
        title="Run a model",
        why=f"{by_rule} of the last {len(recent.rows)} calls were answered by rules.",
        gain="Answers by a model: start Ollama and pull the model that `sovereign status` names.",
    )


def _doubled(setting: str, value: int, most: int) -> dict[str, Any]:
    """Return the fields of a change to twice the value; none is left at the bound."""
    wanted = min(2 * value, most)
    return {
        "applicable": wanted > value,
        "setting": setting,
        "current": str(value),
        "proposed": str(wanted),
    }


RULES: tuple[Rule, ...] = (
    _engine, _queue, _warm, _cut, _context, _cache_size, _cache_ttl, _repeatable,
)  # fmt: skip
