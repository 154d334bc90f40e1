"""What a host has in memory, as its `/api/ps` tells: which models, and what is amiss with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.router import names
from shared.settings import RouterSettings


@dataclass(frozen=True, slots=True)
class Memory:
    """Canonical names of the models in memory, and what people should know of them."""

    models: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


def memory(told: dict[str, Any], settings: RouterSettings) -> Memory:
    """Return what is in memory; raise `TypeError` or `AttributeError` for what is no such list."""
    entries = list(told.get("models") or ())
    held = [names.canonical(str(entry.get("name"))) for entry in entries]
    notes = [f"{name} {note}" for name, entry in zip(held, entries, strict=True)
             for note in _notes(entry, _wanted(name, settings))]  # fmt: skip
    return Memory(frozenset(held), tuple(sorted(notes)))


def _wanted(name: str, settings: RouterSettings) -> int:
    """Return how many tokens of context we ask for; vectors are asked for without."""
    return 0 if name == names.canonical(settings.embed_model) else settings.num_ctx


def _notes(entry: dict[str, Any], num_ctx: int) -> list[str]:
    """Tell of a model that is partly or not in the GPU's memory, or whose context is smaller."""
    size, inside = entry.get("size") or 0, entry.get("size_vram") or 0
    context = entry.get("context_length") or num_ctx
    found = []
    if inside < size:
        part = f"for {1 - inside / size:.0%} on the CPU" if inside else "on the CPU alone"
        found.append(f"runs {part}")
    if context < num_ctx:
        found.append(f"takes {context} tokens, not the {num_ctx} of SOVEREIGN_ROUTER__NUM_CTX")
    return found
