"""How the router's policy, budgets and monitor are shown to people."""

from __future__ import annotations

from cli.output import pairs, say, table, tell
from shared.events.budgets import BudgetLine, BudgetList
from shared.events.policy import PolicyReport, QualityLine


def show_policy(found: PolicyReport) -> None:
    """Print what names stand for, the owner's rules, and how models did."""
    rows = [
        (line.name or "(none)", ", then ".join(line.models), line.why) for line in found.aliases
    ]
    table(("asked for", "answered by", "why"), rows)
    for rule in found.rules:
        tell(f"rule {rule.get('name')}: {', '.join(f'{k} {v}' for k, v in rule.items())}")
    pairs([(f"if {model} fails", models) for model, models in found.fallbacks.items()])
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


def show_budgets(found: BudgetList) -> None:
    """Print each budget in use, the fullest first."""
    if not found.lines:
        say("no budgets: SOVEREIGN_ROUTER__BUDGETS sets them")
        return
    columns = ("budget", "period", "spent", "reserved", "limit", "tokens", "limit", "refused")
    table(columns, [_budget(line) for line in found.lines])


def _budget(line: BudgetLine) -> tuple[object, ...]:
    return (
        f"{line.of} {line.name}".strip(), line.period or "for ever", f"{line.spent_usd:.4f} USD",
        f"{line.reserved_usd:.4f} USD", line.limit_usd, line.spent_tokens, line.limit_tokens,
        line.refused,
    )  # fmt: skip
