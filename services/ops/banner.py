"""What a person reads when everything is up: four aligned lines."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from shared.events.models import EngineStatus
from shared.settings import Settings

HINT = 'next: sovereign task submit "Write a plan for ..." --wait; Ctrl-C stops everything'


def lines(settings: Settings, engine: EngineStatus | None, dashboard_here: bool) -> list[str]:
    """Return the lines `bus`, `data`, `engine` and `dashboard`, in this order."""
    rows = (
        ("bus", bus_line(settings)),
        ("data", str(settings.data_dir.absolute())),
        ("engine", engine_line(settings, engine)),
        ("dashboard", dashboard_line(settings, dashboard_here)),
    )
    return [f"{name:<9}  {text}" for name, text in rows]


def bus_line(settings: Settings) -> str:
    """Say where the bus is and whose it is."""
    if settings.nats.url is not None:
        return f"{settings.nats_url} (as set)"
    return f"{settings.nats_url} (embedded, on disk, synced {settings.nats.sync_interval})"


def engine_line(settings: Settings, engine: EngineStatus | None) -> str:
    """Say what answers model requests, and what to do when that is not a model."""
    if engine is None:
        return "no router answers yet: steps that need a model wait"
    if engine.is_llm and engine.state == "ready":
        return f"{engine.engine} {engine.model} at {engine.url}".rstrip()
    return f"offline (rules, not a language model): {_why(settings, engine)}"


def _why(settings: Settings, engine: EngineStatus) -> str:
    model = settings.router.model
    if engine.setting == "offline":
        return "as set; SOVEREIGN_ENGINE=auto looks for Ollama"
    if engine.state in ("absent", "offline") and engine.setting in ("auto", "ollama"):
        return f"no Ollama at {settings.ollama_url}; install it and run `ollama pull {model}`"
    if engine.state == "model_missing":
        return f"Ollama has no {model}; run `ollama pull {model}`"
    return engine.detail or engine.state


def dashboard_line(settings: Settings, here: bool) -> str:
    """Say where the page is."""
    if not here:
        return "not on this host"
    board = settings.dashboard
    host = f"[{board.host}]" if ":" in board.host else board.host
    return f"http://{host}:{board.port}/dashboard"


def engine_of(info: dict[str, Any]) -> EngineStatus | None:
    """Return the engine in a router's beat; None when the beat does not tell."""
    try:
        return EngineStatus.model_validate(info.get("engine"))
    except ValidationError:
        return None
