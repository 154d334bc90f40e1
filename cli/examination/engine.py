"""Checks of the engine: is Ollama there, and does it hold the model?"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

from cli.findings import Finding, failed, ok, warned
from shared.settings import Settings


async def examine(settings: Settings) -> list[Finding]:
    """Return what the chosen engine finds here."""
    if settings.engine == "offline":
        fix = "SOVEREIGN_ENGINE=auto looks for Ollama"
        return [warned("engine", "offline as set: rules, no language model", fix)]
    if settings.engine == "openai":
        return [await asyncio.to_thread(_openai, settings)]
    return [await asyncio.to_thread(_ollama, settings)]


def _ollama(settings: Settings) -> Finding:
    url, model = settings.ollama_url, settings.router.model
    try:
        models = _get(f"{url}/api/tags", settings.router.probe_s)["models"]
        held = {str(one["name"]) for one in models}
    except (OSError, ValueError, KeyError, TypeError):
        return _no_ollama(settings)
    if model in held or f"{model}:latest" in held:
        return ok("engine", f"Ollama at {url} holds {model}")
    line = f"Ollama at {url} does not hold {model}"
    return warned("engine", line, f"ollama pull {model}, or sovereign up --pull")


def _no_ollama(settings: Settings) -> Finding:
    """Without Ollama `auto` works by rules, and `ollama` does not work at all."""
    line = f"no Ollama answers at {settings.ollama_url}"
    fix = (
        f"install Ollama and `ollama pull {settings.router.model}`; or SOVEREIGN_ROUTER__OLLAMA_URL"
    )
    if settings.engine == "ollama":
        return failed("engine", line, fix)
    return warned("engine", f"{line}: rules answer, no language model", fix)


def _openai(settings: Settings) -> Finding:
    url = settings.router.openai_url
    if not url:
        line = "engine openai needs SOVEREIGN_ROUTER__OPENAI_URL"
        return failed("engine", line, "set it, e.g. http://127.0.0.1:8080/v1")
    try:
        _get(f"{url.rstrip('/')}/models", 2.0, _key(settings))
    except urllib.error.HTTPError as error:
        return failed(
            "engine", f"{url}: HTTP {error.code}", "check SOVEREIGN_ROUTER__OPENAI_API_KEY"
        )
    except (OSError, ValueError) as error:
        return failed(
            "engine", f"{url}: {error}", "start it, or correct SOVEREIGN_ROUTER__OPENAI_URL"
        )
    return ok("engine", f"{url} answers")


def _key(settings: Settings) -> dict[str, str]:
    secret = settings.router.openai_api_key
    return {"Authorization": f"Bearer {secret.get_secret_value()}"} if secret else {}


def _get(url: str, timeout_s: float, headers: dict[str, str] | None = None) -> Any:
    """Return the JSON at an http(s) URL; raise `OSError` or `ValueError`."""
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url} is not an HTTP address")
    request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 - checked above
    # An engine of one's own is never reached through a proxy that the environment names.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=timeout_s) as answer:
        return json.load(answer)
