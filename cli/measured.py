"""How the router's policy, budgets and monitor are shown to people."""

from __future__ import annotations

from cli.output import pairs, say, table, tell
from shared.events.budgets import BudgetLine, BudgetList
from shared.events.monitor import MonitorReport, SeriesLine
from shared.events.policy import PolicyReport, QualityLine
from shared.events.suggest import SuggestReply


def show_policy(found: PolicyReport) -> None:
    """Print what names stand for, the owner's rules, and how models did."""
    rows = [
        (line.name or "(none)", ", then ".join(line.models), line.why) for line in found.aliases
    ]
    table(("asked for", "answered by", "why"), rows)
    for rule in found.rules:
        tell(f"rule {rule.get('name')}: {', '.join(f'{k} {v}' for k, v in rule.items())}")
    pairs([(f"if {model} fails", models) for model, models in found.fallbacks.items()])
    pairs([(f"server {name}", model) for name, model in found.servers.items()])
    pairs([(f"cloud {name}", model) for name, model in found.clouds.items()])
    if found.quality:
        tell()
        columns = ("model", "kind of work", "calls", "steps", "good", "surely", "mean")
        table(columns, [_quality(line) for line in found.quality])


def _quality(line: QualityLine) -> tuple[object, ...]:
    good = None if line.good is None else f"{line.good:.0%}"
    mean = None if line.mean_s is None else f"{line.mean_s:.2f} s"
    kind = line.kind or "all"
    return (line.model, kind, line.calls, line.steps, good, f"{line.surely_good:.0%}", mean)


def show_monitor(found: MonitorReport) -> None:
    """Print figures by model and host, what is not as usual, and where it leads."""
    columns = (
        "model", "host", "kind", "calls", "errors", "p50", "p95", "p99", "first", "wait",
        "tokens/s",
    )  # fmt: skip
    table(columns, [_series(line) for line in found.series])
    tell()
    if not found.anomalies:
        tell("no anomalies since the router started")
    for one in found.anomalies[:20]:
        until = "now" if one.until is None else f"{one.until.astimezone():%Y-%m-%d %H:%M}"
        tell(
            f"{one.model} on {one.host}: {one.metric} {one.value:.3g}, usually {one.usual:.3g},"
            f" {one.since.astimezone():%Y-%m-%d %H:%M} to {until}"
        )
    tell()
    rows = [
        (f.what, f.month, _number(f.so_far), _number(f.expected), _number(f.low), _number(f.high))
        for f in found.forecast
    ]
    table(("forecast", "month", "so far", "expected", "low", "high"), rows)
    slopes = [(t.what, t.days, _number(t.mean), _number(t.per_day)) for t in found.trends]
    table(("trend", "days", "mean", "a day"), slopes)


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:,.4g}"


def _series(line: SeriesLine) -> tuple[object, ...]:
    times = (line.p50_s, line.p95_s, line.p99_s, line.first_token_p95_s, line.queue_p95_s)
    told = [None if seconds is None else f"{seconds:.3f} s" for seconds in times]
    counts = (line.kind, line.calls, line.errors)
    return (line.model, line.host, *counts, *told, _number(line.tokens_per_s))


def show_budgets(found: BudgetList) -> None:
    """Print each budget in use, the fullest first, and who counts them."""
    if found.lines:
        columns = (
            "budget", "period", "spent", "reserved", "limit", "tokens", "limit", "elsewhere",
            "refused",
        )  # fmt: skip
        table(columns, [_budget(line) for line in found.lines])
    else:
        say("no budgets: SOVEREIGN_ROUTER__BUDGETS sets them")
    if found.alone:
        say(f"this router counts by itself for now: {found.alone}")
    elif found.routers > 1:
        say(f"{found.routers} routers count together")


def _budget(line: BudgetLine) -> tuple[object, ...]:
    return (
        f"{line.of} {line.name}".strip(), line.period or "for ever", f"{line.spent_usd:.4f} USD",
        f"{line.reserved_usd:.4f} USD", line.limit_usd, line.spent_tokens, line.limit_tokens,
        _elsewhere(line), line.refused,
    )  # fmt: skip


def _elsewhere(line: BudgetLine) -> str | None:
    """Return what other hosts spent, in the words of the limit."""
    if line.limit_usd is not None and line.elsewhere_usd:
        return f"{line.elsewhere_usd:.4f} USD"
    return f"{line.elsewhere_tokens} tokens" if line.elsewhere_tokens else None


def show_suggestions(found: SuggestReply) -> None:
    """Print earlier questions with their answers; a person judges whether they fit."""
    for each in found.suggestions:
        tell(f"{each.similarity:.2f}  {each.question}")
        tell(f"      {each.answer}")
    if not found.suggestions:
        say(f"nothing near was asked before ({found.known} questions are known)")
