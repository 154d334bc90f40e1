"""`sovereign model …`: what answers, which models are at hand, fetch one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Json, Yes, group

if TYPE_CHECKING:
    from shared.events.models import EngineStatus
    from shared.events.pool import HostInfo, HostList
    from shared.events.reports import ModelInfo, ModelList

app = group("What answers the agents, and which models are at hand.", "Work")


@app.command()
def status(as_json: Json = False) -> None:
    """Show what answers model requests now."""
    from cli.connection import ask
    from cli.output import show
    from shared.events.models import EngineStatus
    from shared.events.reports import Empty

    show(ask("model.status", Empty(), EngineStatus), as_json, _show_status)


@app.command("list")
def list_models(as_json: Json = False) -> None:
    """List the models that the engine holds."""
    from cli.connection import ask
    from cli.output import show
    from shared.events.reports import Empty, ModelList

    show(ask("model.models", Empty(), ModelList, 10.0), as_json, _show_models)


@app.command("hosts")
def list_hosts(as_json: Json = False) -> None:
    """List the hosts of the pool: load, speed, what is in memory, and what is wrong."""
    from cli.connection import ask
    from cli.output import show
    from shared.events.pool import HostList
    from shared.events.reports import Empty

    show(ask("model.hosts", Empty(), HostList), as_json, _show_hosts)


@app.command()
def policy(as_json: Json = False) -> None:
    """Show which models answer which names, by which rule, and how well each did."""
    from cli.connection import ask
    from cli.measured import show_policy
    from cli.output import show
    from shared.events.policy import PolicyReport
    from shared.events.reports import Empty

    show(ask("model.policy", Empty(), PolicyReport), as_json, show_policy)


@app.command()
def budgets(as_json: Json = False) -> None:
    """Show what model calls may cost or use, and what they have used."""
    from cli.connection import ask
    from cli.measured import show_budgets
    from cli.output import show
    from shared.events.budgets import BudgetList
    from shared.events.reports import Empty

    show(ask("model.budgets", Empty(), BudgetList), as_json, show_budgets)


@app.command()
def suggest(
    text: Annotated[str, typer.Argument(help="A question.", show_default=False)],
    at_least: Annotated[float, typer.Option(min=-1, max=1, help="The least cosine.")] = 0.8,
    as_json: Json = False,
) -> None:
    """Show questions near in meaning that were answered before; needs router.suggestions."""
    from cli.connection import ask
    from cli.measured import show_suggestions
    from cli.output import show
    from shared.events.suggest import SuggestAsk, SuggestReply

    asked = SuggestAsk(text=text, at_least=at_least)
    show(ask("model.suggest", asked, SuggestReply, 60.0), as_json, show_suggestions)


@app.command()
def pull(
    model: Annotated[str | None, typer.Argument(help="The setting's model unless given.")] = None,
    host: Annotated[str, typer.Option("--host", help="A host of the pool, by its name.")] = "",
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Fetch a model into Ollama, with progress; gigabytes, so it asks first."""
    from cli import pulling

    pulling.pull(model, yes, as_json, host)


def _show_status(engine: EngineStatus) -> None:
    from cli.output import pairs
    from cli.status import engine_line

    pairs(
        [
            ("engine", engine_line(engine.model_dump())),
            ("setting", engine.setting),
            ("url", engine.url),
            ("version", engine.version),
            ("slots", engine.slots),
        ]
    )


def _show_models(found: ModelList) -> None:
    from cli.output import say, table

    if not found.models:
        say("no models: with Ollama running, `sovereign model pull` fetches the default one")
        return
    table(("model", "size", "allowed", "where"), [_row(model) for model in found.models])


def _row(model: ModelInfo) -> tuple[object, ...]:
    size = None if model.size is None else f"{model.size / 1e9:.1f} GB"
    return model.name, size, "yes" if model.allowed else "no", model.remote_host or "here"


def _show_hosts(found: HostList) -> None:
    from cli.output import say, table, tell

    if not found.hosts:
        say("no hosts: the engine of this router is not Ollama")
        return
    columns = ("host", "state", "circuit", "busy", "weight", "calls", "failed", "seconds", "loaded")
    table((*columns, "why"), [_host(host) for host in found.hosts])
    tell(f"waiting for a place: {found.waiting} of at most {found.queue}")


def _host(host: HostInfo) -> tuple[object, ...]:
    seconds = ", ".join(f"{name} {value:.1f}" for name, value in host.seconds.items())
    return (
        host.name, host.state, host.circuit, f"{host.busy}/{host.slots}", f"{host.weight:g}",
        host.calls, host.failures, seconds, ", ".join(host.loaded), host.detail,
    )  # fmt: skip
