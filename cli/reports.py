"""What the router measured: savings, performance, sovereignty."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json, group

if TYPE_CHECKING:
    from shared.events.reports import (
        EmbedSavings,
        Latency,
        OptimizationReport,
        Savings,
        Sovereignty,
    )

SMALL_USD = Decimal("0.01")

optimization = group("How well the engine does, and what to change.", "Look")


savings = typer.Typer(
    help="What local work saved, and what moving over would save.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@savings.callback()
def show_savings(context: typer.Context, as_json: Json = False) -> None:
    """Show what local work saved against a named cloud model."""
    if context.invoked_subcommand is not None:
        return
    from cli.connection import ask
    from cli.output import show
    from shared.events.reports import Empty, Savings

    show(ask("model.savings", Empty(), Savings), as_json, _show_savings)


@savings.command("import")
def import_usage(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON or JSON lines.")],
    as_json: Json = False,
) -> None:
    """Show what moving past cloud usage over would save, by kind of work.

    Takes the usage exports of OpenAI, Anthropic and Google, and what ccusage writes.
    """
    from cli import usage

    usage.import_usage(file, as_json)


@optimization.command("apply")
def apply_advice(
    recommendation: Annotated[str, typer.Argument(help="Its id in the report.")],
    value: Annotated[str | None, typer.Option("--value", help="Another than proposed.")] = None,
    as_json: Json = False,
) -> None:
    """Do what a recommendation says, while the router runs; it stays over restarts."""
    from cli import tuning

    tuning.apply(recommendation, value, as_json)


@optimization.command()
def rollback(
    change: Annotated[str, typer.Argument(help="The id of the change.")], as_json: Json = False
) -> None:
    """Take a change back."""
    from cli import tuning

    tuning.rollback(change, as_json)


@optimization.command()
def monitor(
    hours: Annotated[float, typer.Option("--hours", help="Figures over so many hours.")] = 24.0,
    as_json: Json = False,
) -> None:
    """Show each model on each host: percentiles, anomalies, trends, the month's forecast."""
    from cli.connection import ask
    from cli.measured import show_monitor
    from cli.output import show
    from cli.wishes import build
    from shared.events.monitor import MonitorAsk, MonitorReport

    wish = build(MonitorAsk, {"hours": hours})
    show(ask("model.monitor", wish, MonitorReport, 15.0), as_json, show_monitor)


@optimization.command()
def changes(as_json: Json = False) -> None:
    """Show what was changed, and what was measured before and after."""
    from cli import tuning

    tuning.changes(as_json)


@optimization.command()
def report(as_json: Json = False) -> None:
    """Show latency, cache, efficiency and recommendations."""
    from cli.connection import ask
    from cli.output import show
    from shared.events.reports import Empty, OptimizationReport

    show(ask("model.report", Empty(), OptimizationReport), as_json, _show_report)


def sovereignty(as_json: Json = False) -> None:
    """Show how much of the work stays on your own hardware, part by part."""
    from cli.connection import ask
    from cli.output import show
    from shared.events.reports import Empty, Sovereignty

    show(ask("model.sovereignty", Empty(), Sovereignty), as_json, _show_sovereignty)


def _show_savings(found: Savings) -> None:
    from cli.output import pairs, tell

    since = None if found.since is None else f"{found.since.astimezone():%Y-%m-%d %H:%M}"
    pairs(
        [
            (f"saved against {found.reference_model}", usd(found.saved_usd)),
            (f"the same on {found.reference_model}", usd(found.reference_usd)),
            ("paid", usd(found.cost_usd)),
            ("calls", found.calls),
            ("  by a model", found.llm_calls),
            ("  by rules", found.offline_calls),
            ("from the cache", found.cache_hits),
            ("tokens", f"{found.prompt_tokens} in, {found.completion_tokens} out"),
            ("since", since),
        ]
    )
    if found.embeddings.texts:
        tell()
        pairs(_embedded(found.embeddings))
    if found.notice:
        tell(found.notice)


def _embedded(found: EmbedSavings) -> list[tuple[str, object]]:
    """Return the lines of vectors, which are compared with a model of their kind."""
    return [
        (f"saved against {found.reference_model}", usd(found.saved_usd)),
        (f"the same on {found.reference_model}", usd(found.reference_usd)),
        ("paid", usd(found.cost_usd)),
        ("texts embedded", found.texts),
        ("  from the cache", found.kept_texts),
        ("calls of a model", found.calls),
        ("tokens", found.prompt_tokens),
    ]


def usd(amount: Decimal | None) -> str:
    """Return an amount in US dollars, small ones more exactly; what is not known says so."""
    if amount is None:
        return "unknown"
    return f"{amount:.8f} USD" if 0 < abs(amount) < SMALL_USD else f"{amount:.4f} USD"


def percent(share: float | None) -> str:
    """Return a share 0..1 in percent; what is not known says so."""
    return "unknown" if share is None else f"{share:.0%}"


def _points(score: float | None) -> str:
    return "unknown" if score is None else f"{score:.0f} of 100"


def _show_report(found: OptimizationReport) -> None:
    from cli.output import pairs, table, tell

    cache = found.cache
    pairs(
        [
            ("efficiency", _points(found.efficiency)),
            *((f"  {name}", percent(value)) for name, value in found.parts.items()),
            ("cache", f"{cache.entries} of {cache.capacity} entries, kept {cache.ttl_s:g} s"),
            ("hit rate", f"{percent(cache.hit_rate)} ({cache.hits} hits, {cache.misses} misses)"),
            ("vectors", f"{found.vectors.entries} kept, {percent(found.vectors.hit_rate)} hits"),
        ]
    )
    if found.latency:
        tell()
        columns = ("model", "engine", "calls", "errors", "p50", "p95", "p99", "tokens/s")
        table(columns, [_latency(one) for one in found.latency])
    for advice in found.recommendations:
        tell()
        tell(advice.title)
        tell(f"  {advice.why}{f' ({advice.gain})' if advice.gain else ''}")
        if advice.applicable:
            tell(f"  {advice.setting}: {advice.current} -> {advice.proposed}")
            tell(f"  sovereign optimization apply {advice.id}")


def _latency(one: Latency) -> tuple[object, ...]:
    times = [None if t is None else f"{t:.3f} s" for t in (one.p50_s, one.p95_s, one.p99_s)]
    speed = None if one.tokens_per_s is None else f"{one.tokens_per_s:.1f}"
    return (one.model, one.engine, one.calls, one.errors, *times, speed)


def _show_sovereignty(found: Sovereignty) -> None:
    from cli.output import table, tell

    score = "unknown yet" if found.score is None else f"{found.score:.0f} of 100"
    tell(f"sovereignty  {score}")
    tell(f"answered by a local model  {percent(found.local_llm_share)}")
    tell(f"answered by rules          {percent(found.offline_share)}")
    tell()
    rows = [(p.name, percent(p.value), f"{p.weight:g}", p.explanation) for p in found.parts]
    table(("part", "value", "weight", "why"), rows)
