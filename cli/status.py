"""`sovereign status`: the bus, the engine, every service, the tasks, at one glance."""

from __future__ import annotations

from typing import Any

import typer

from cli.options import Json

COLUMNS = (
    "service", "state", "host", "instance", "up", "beat", "lag", "memory", "restarts", "symptom",
)  # fmt: skip
SPANS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))


def status(as_json: Json = False) -> None:
    """Show what runs: bus, engine, services, tasks; fails when something is missing."""
    from cli.connection import run
    from cli.errors import FAILED
    from cli.output import show
    from cli.overview import look

    seen = run(look)
    show(seen, as_json, _show)
    if not seen["healthy"]:
        raise typer.Exit(FAILED)


def _show(seen: dict[str, Any]) -> None:
    from cli.output import pairs, tell

    pairs(
        [
            (
                "bus",
                f"{seen['nats']['url']}  {seen['nats']['version']}, {seen['nats']['rtt_ms']} ms",
            ),
            ("engine", engine_line(seen["engine"])),
            ("models", seen["door"] or "over the bus only: the router's HTTP door is shut"),
            ("tasks", tasks_line(seen["tasks"])),
        ]
    )
    tell()
    instances_table(seen["services"])
    if seen["missing"]:
        tell()
        tell(f"not running: {', '.join(seen['missing'])}; start with `sovereign up`")


def engine_line(engine: dict[str, Any] | None) -> str:
    """Return who answers model requests; rules never pass for a model."""
    if engine is None:
        return "nobody answers model requests: the router does not run"
    what = "a language model" if engine["is_llm"] else "rules, no language model"
    name = " ".join(part for part in (engine["engine"], engine["model"]) if part)
    detail = f"; {engine['detail']}" if engine["detail"] else ""
    return f"{name} ({what}, {engine['state']}){detail}"


def tasks_line(tasks: dict[str, int] | None) -> str:
    """Return the number of tasks in each state that still moves."""
    if tasks is None:
        return "unknown: the manager has never run here"
    told = [f"{count} {state}" for state, count in tasks.items() if count]
    return ", ".join(told) or "none in hand"


def instances_table(instances: list[dict[str, Any]]) -> None:
    """Print one line an instance: who, where, how it does."""
    from cli.output import table

    table(COLUMNS, [_row(one) for one in instances])


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["service"],
        one["state"],
        one["host"],
        one["instance"],
        span(one["uptime_s"]),
        f"{one['silent_s']:.1f} s ago",
        f"{one['loop_lag_s'] * 1000:.0f} ms",
        f"{one['rss_bytes'] / 1e6:.0f} MB",
        one["restarts"],
        one["symptom"],
    )


def span(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    whole = int(seconds)
    for size, unit, smaller, part in SPANS:
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // smaller} {part}"
    return f"{whole} s"
