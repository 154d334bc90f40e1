"""The six figures of the first page; each says what it means, and when it is not known."""

from __future__ import annotations

from datetime import timedelta

from markupsafe import Markup

from services.dashboard.pages import parts, words
from services.dashboard.store import Store
from shared.clock import now
from shared.events import Savings, Sovereignty, TaskState
from shared.services import SERVICES

STALE_AFTER_S = 20.0


def tiles(store: Store) -> Markup:
    """Return all six; dimmed while the bus is lost."""
    each = (services, running, waiting, cache, saved, home)
    return Markup('<div class="tiles {}">{}</div>').format(
        parts.stale(store.mood() == "lost"), parts.join(tile(store) for tile in each)
    )


def services(store: Store) -> Markup:
    """Return how many of the six work; the bus is named apart, supervisors do not count."""
    up = store.vitals.up(store.seen_at())
    missing = [name for name in SERVICES if name not in up]
    if not store.bus_up:
        missing.insert(0, "bus")
    sub = "all answer, the bus too" if not missing else "missing: " + ", ".join(missing)
    kind = "bad" if not store.bus_up else "warn" if missing else ""
    return parts.tile("Services up", str(len(up)), sub, kind, f"/ {len(SERVICES)}")


def running(store: Store) -> Markup:
    """Return what is being worked on, and how the others ended."""
    counts = store.crew.counts()
    active = counts[TaskState.RUNNING] + counts[TaskState.PLANNING]
    ended = f"{words.count(counts[TaskState.DONE])} done"
    if counts[TaskState.FAILED]:
        ended += f", {words.count(counts[TaskState.FAILED])} failed"
    minute = store.crew.finished_since(now() - timedelta(minutes=1))
    return parts.tile("Tasks running", str(active), f"{ended}; {minute} a minute now")


def waiting(store: Store) -> Markup:
    """Return what waits, and for what."""
    counts = store.crew.counts()
    number = counts[TaskState.WAITING]
    queued = f"{words.count(counts[TaskState.QUEUED])} in the queue"
    because = store.crew.waiting_because()
    asked = store.crew.asks_people()
    sub = words.cut(because, 90) if number and because else queued
    if asked:
        sub = f"{words.plural(asked, 'step')} for your word, {queued}"
    return parts.tile("Waiting", str(number), sub, "warn" if number else "")


def cache(store: Store) -> Markup:
    """Return the cache's hit rate as the router counts it, else as heard here."""
    report = store.report("model.report")
    status = report.cache if report else None
    if status is not None and status.hit_rate is not None:
        good = status.hits + status.coalesced
        sub = f"{words.count(good)} of {words.plural(good + status.misses, 'lookup')}"
        return parts.tile("Cache hit rate", f"{status.hit_rate * 100:.0f}", sub, unit="%")
    rate = store.traffic.hit_rate()
    if rate is None:
        return parts.tile("Cache hit rate", words.DASH, "no model call looked it up yet", "unknown")
    return parts.tile(
        "Cache hit rate", f"{rate * 100:.0f}", "heard since this page began", unit="%"
    )


def saved(store: Store) -> Markup:
    """Return what local models saved against a named cloud model; never a guess."""
    known: Savings | None = store.report("model.savings")
    engine = store.engine()
    offline = engine is not None and not engine.is_llm
    if known is None:
        return parts.tile("Saved", words.DASH, "the router has not reported yet", "unknown")
    against = f"against {words.cut(known.reference_model, 28)}"
    if known.llm_calls == 0:
        why = "nothing to save yet: offline" if offline else "no model call yet"
        return parts.tile("Saved", words.DASH, why, "unknown")
    if known.saved_usd is None:
        return parts.tile(
            "Saved", words.DASH, f"price of {known.reference_model} unknown", "unknown"
        )
    calls = words.plural(known.llm_calls, "call")
    kind = _age(store, "model.savings")
    return parts.tile("Saved", words.dollars(known.saved_usd), f"{against}, {calls}", kind)


def home(store: Store) -> Markup:
    """Return the sovereignty score, with its weakest part."""
    known: Sovereignty | None = store.report("model.sovereignty")
    if known is None or known.score is None:
        why = "the router has not reported yet" if known is None else "not enough measured yet"
        return parts.tile("Sovereignty", words.DASH, why, "unknown")
    sub = _weakest(known)
    kind = _age(store, "model.sovereignty")
    return parts.tile("Sovereignty", f"{known.score:.0f}", sub, kind, "/ 100")


def _weakest(known: Sovereignty) -> str:
    """Return the part to work on, else how much of the score is measured at all."""
    measured = [part for part in known.parts if part.value is not None]
    lacking = [part for part in measured if (part.value or 0.0) < 1.0]
    if lacking:
        weakest = min(lacking, key=lambda part: part.value or 0.0)
        return f"lowest: {words.cut(weakest.name.replace('_', ' '), 40)}"
    if len(measured) < len(known.parts):
        return f"{len(measured)} of {len(known.parts)} parts measured so far, all whole"
    return "every part is whole"


def _age(store: Store, name: str) -> str:
    """Return the class of a figure that is too old to be taken for the present."""
    known = store.reports[name]
    return "stale" if store.clock() - known.at > STALE_AFTER_S else ""
