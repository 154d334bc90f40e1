"""Model calls: what answers them, how fast, what the cache spared, what stays at home."""

from __future__ import annotations

from markupsafe import Markup
from nicegui import ui

from services.dashboard.door.build import House
from services.dashboard.pages import parts, words
from services.dashboard.pages.asked import Asked
from services.dashboard.pages.charts import chart
from services.dashboard.pages.monitored import anomalies, trends
from services.dashboard.pages.overview import LATENCY
from services.dashboard.pages.shell import page
from services.dashboard.pages.tiles import cache, home, saved
from services.dashboard.pages.tuning import changes, tuning
from services.dashboard.pages.visitor import may
from services.dashboard.store import Store
from shared import events as e
from shared.events import OptimizationReport, Recommendation, Sovereignty, SovereigntyPart

CALLS = 12


async def build(house: House) -> None:
    """Build the page."""
    store = house.store
    acts = may(house, "operate")
    with page(house, "Router", "/dashboard/router") as shown:
        with ui.element("div").classes("halves"):
            shown.live(lambda: engine_card(store))
            shown.live(lambda: _tiles(store))
        with ui.element("div").classes("halves"):
            with ui.element("div").classes("stack"):
                chart(shown, "Answer time, s", LATENCY, step=0.001)
                watched = Asked(shown, "model.monitor", e.MonitorAsk(), e.MonitorReport)
                await watched.follow()
                shown.live(lambda: watched.shown("Out of the ordinary", anomalies))
                shown.live(lambda: watched.shown("Where it leads", trends))
            shown.live(lambda: sovereignty(store))
        shown.live(lambda: models(store))
        with ui.element("div").classes("halves"):
            advised = shown.live(lambda: advice(store, acts=acts))
            shown.live(lambda: calls(store))
        changed = Asked(shown, "model.changes", e.Empty(), e.TuningChanges)
        await changed.follow()
        made = shown.live(lambda: changed.shown("Changes", lambda all: changes(all, acts=acts)))
        if acts:
            advised.acts({"apply": tuning(house, "apply", changed)})
            made.acts({"rollback": tuning(house, "rollback", changed)})


def engine_card(store: Store) -> Markup:
    """Return what answers model requests now, with the reason."""
    engine = store.engine()
    if engine is None:
        teach = "The router's heartbeat names the engine; none was heard yet."
        return parts.card("Engine", parts.empty("Unknown", teach), flush=True)
    pairs: list[tuple[str, Markup | str]] = [
        ("Answers with", f"{engine.engine} {engine.version}".strip()),
        ("Language model", words.cut(engine.model, 80) if engine.is_llm else "none: rules only"),
        ("State", parts.word(engine.state)),
        ("Setting", parts.code(f"engine = {engine.setting}")),
        ("At", words.cut(engine.url, 120) or words.DASH),
        ("At the same time", words.plural(engine.slots, "call") if engine.slots else words.DASH),
    ]
    if engine.detail:
        pairs.append(("Because", words.cut(engine.detail, 300)))
    return parts.card("Engine", parts.facts(pairs))


def _tiles(store: Store) -> Markup:
    figures = (cache(store), saved(store), home(store), _calls_tile(store))
    return Markup(
        '<div class="tiles" style="grid-template-columns:repeat(2,minmax(0,1fr))">{}</div>'
    ).format(parts.join(figures))


def _calls_tile(store: Store) -> Markup:
    traffic = store.traffic
    total = traffic.llm_calls + traffic.offline_calls
    model, rules = words.count(traffic.llm_calls), words.count(traffic.offline_calls)
    sub = f"{model} by a model, {rules} by rules"
    if traffic.texts:
        sub += f"; {words.plural(traffic.texts, 'text')} embedded"
    return parts.tile("Calls heard", words.count(total), sub)


def sovereignty(store: Store) -> Markup:
    """Return the parts of the score, each with what it means."""
    known: Sovereignty | None = store.report("model.sovereignty")
    if known is None:
        teach = "How much of the work stays on hosts that you control, part by part."
        return parts.card("Sovereignty", parts.empty("Not reported yet", teach), flush=True)
    rows = parts.join(_part(part) for part in known.parts)
    score = "not enough measured yet" if known.score is None else f"{known.score:.0f} of 100"
    return parts.card("Sovereignty", rows, Markup("<b>{}</b>").format(score))


def _part(part: SovereigntyPart) -> Markup:
    known = part.value is not None
    return Markup(
        '<div style="margin-bottom:10px"><div class="legend"><span>{}</span><b>{}</b></div>{}'
        '<div class="muted" style="font-size:12.5px">{}</div></div>'
    ).format(
        words.cut(part.name.replace("_", " "), 60).capitalize(),
        words.percent(part.value) if known else "not measured yet",
        parts.meter(part.value) if known else "",
        words.cut(part.explanation, 240),
    )


def models(store: Store) -> Markup:
    """Return latencies per model."""
    report: OptimizationReport | None = store.report("model.report")
    if report is None or not report.latency:
        teach = "After the first model call: percentiles and tokens per second, one row a model."
        return parts.card("Models", parts.empty("No calls yet", teach), flush=True)
    heads = ("Model", "~Engine", ">Calls", "~>Errors", ">p50", ">p95", ">p99", "~>Tokens/s")
    rows = [
        parts.row(
            (
                parts.cell(words.cut(one.model, 60) or "rules", "name"),
                parts.cell(one.engine, "late soft"),
                parts.cell(words.count(one.calls), "right num"),
                parts.cell(words.count(one.errors), "late right num"),
                parts.cell(words.duration(one.p50_s), "right num nowrap"),
                parts.cell(words.duration(one.p95_s), "right num nowrap"),
                parts.cell(words.duration(one.p99_s), "right num nowrap"),
                parts.cell(_speed(one.tokens_per_s), "late right num"),
            )
        )
        for one in report.latency
    ]
    return parts.card("Models", parts.table(heads, rows), flush=True)


def _speed(value: float | None) -> str:
    return words.DASH if value is None else f"{value:.1f}"


def advice(store: Store, *, acts: bool = False) -> Markup:
    """Return what is worth changing, and what it should gain."""
    report: OptimizationReport | None = store.report("model.report")
    found = report.recommendations if report else ()
    if not found:
        teach = "When measurements point at something worth changing, it stands here with its gain."
        return parts.card("Advice", parts.empty("None for now", teach), flush=True)
    rows = parts.join(_advised(one, acts=acts) for one in found)
    return parts.card("Advice", Markup('<div class="rows">{}</div>').format(rows), flush=True)


def _advised(one: Recommendation, *, acts: bool) -> Markup:
    button = parts.act("apply", one.id, "Apply", "primary") if acts and one.applicable else ""
    return Markup(
        '<div class="row-item" id="advice-{}"><span class="grow"><b style="font-weight:550">{}</b>'
        '<span class="muted" style="display:block">{}</span>'
        '<span style="display:block">{}</span>{}</span>{}</div>'
    ).format(
        one.id, parts.said(words.cut(one.title, 160)), parts.said(words.cut(one.why, 400)),
        parts.said(words.cut(one.gain, 300)), _proposal(one), button,
    )  # fmt: skip


def _proposal(one: Recommendation) -> Markup:
    """Return the setting with its present and its proposed value."""
    if not one.setting:
        return Markup("")
    return Markup('<span class="muted" style="display:block">{}: {} → <b>{}</b></span>').format(
        parts.code(one.setting), words.cut(one.current, 60), words.cut(one.proposed, 60)
    )


def calls(store: Store) -> Markup:
    """Return the last model calls."""
    latest = list(store.traffic.calls)[-CALLS:][::-1]
    if not latest:
        teach = "Each call with its model, what the cache said, its tokens and its time."
        return parts.card("Last calls", parts.empty("No call heard", teach), flush=True)
    heads = ("Model", "~Agent", "Outcome", ">Tokens", ">Time")
    rows = [
        parts.row(
            (
                parts.cell(words.cut(one.cost.model, 40) or one.cost.engine, "name"),
                parts.cell(one.cost.agent or words.DASH, "late soft"),
                parts.cell(_cache_word(one.cost.cache, one.cost.error)),
                parts.cell(_tokens(one.cost.prompt_tokens + one.cost.completion_tokens,
                                   is_llm=one.cost.is_llm), "right num"),
                parts.cell(words.duration(one.cost.seconds), "right num nowrap"),
            ),
            f"call-{one.cost.request_id}",
        )
        for one in latest
    ]  # fmt: skip
    return parts.card("Last calls", parts.table(heads, rows), flush=True)


def _cache_word(cache: str, error: str | None) -> Markup:
    if error:
        text = words.cut(error.replace("_", " "), 40)
        mark = "warn" if error == "needs_model" else "bad"
        return Markup('<span class="word {}"><i></i>{}</span>').format(mark, text)
    kind = "good" if cache in ("hit", "coalesced") else ""
    return Markup('<span class="word {}"><i></i>{}</span>').format(kind, cache)


def _tokens(number: int, *, is_llm: bool) -> str:
    return words.count(number) if is_llm else words.DASH
