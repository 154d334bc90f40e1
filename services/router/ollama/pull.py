"""Fetches a model into Ollama, told step by step. Only ever on a person's wish."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from services.router.ollama.client import OllamaClient
from services.router.ollama.stream import Patience, lines
from shared.errors import EngineFailed
from shared.events import PullProgress

IDLE_S = 120.0


async def pull(client: OllamaClient, model: str) -> AsyncGenerator[PullProgress, None]:
    """Yield progress, the last with type `final`; closing the iterator stops the pull.

    Bytes are summed over all layers known so far. Errors come from Ollama with status 200
    and are raised. A pull that was stopped goes on where it was when it is asked for again.
    """
    layers: dict[str, tuple[int, int]] = {}
    status = ""
    patience = Patience(IDLE_S, IDLE_S)
    asked = {"model": model, "stream": True}
    async with (
        patience.keep(),
        client.stream("/api/pull", asked) as response,
        aclosing(lines(response)) as told,
    ):
        async for line in told:
            patience.line()
            status = str(line.get("status", ""))
            if line.get("total"):
                layers[str(line.get("digest"))] = (int(line.get("completed") or 0), line["total"])
            yield _progress(model, status, layers)
    if status != "success":
        raise EngineFailed(f"the pull of {model} ended without success, at: {status or 'nothing'}")
    yield _progress(model, status, layers).model_copy(update={"type": "final"})


def _progress(model: str, status: str, layers: dict[str, tuple[int, int]]) -> PullProgress:
    completed = sum(done for done, _ in layers.values())
    total = sum(whole for _, whole in layers.values())
    known = bool(layers)
    return PullProgress(
        model=model,
        status=status,
        completed=completed if known else None,
        total=total if known else None,
    )
