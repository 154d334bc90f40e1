"""What past usage cost and what the same tokens would cost at home, by kind of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from services.router.prices import Price
from services.router.usage.fields import Usage
from shared.events import UsageKind

LONG_PROMPT = 8_000
LONG_ANSWER = 1_000
SHORT = 1_000
WORDS = {
    "embeddings": ("embed",),
    "images": ("image", "dall-e", "imagen"),
    "speech": ("audio", "speech", "whisper", "tts", "transcri"),
    "video": ("video", "sora", "veo"),
}
MOVABLE = ("embeddings", "long documents", "long answers", "short questions", "conversations",
           "chat (sizes unknown)")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Home:
    """What a token takes at home: seconds of a host, as measured, and US dollars of a second."""

    prompt_s: float | None = None
    completion_s: float | None = None
    usd_per_s: Decimal | None = None

    def seconds(self, prompt: int, completion: int) -> float | None:
        """Return the seconds for so many tokens, or None without a measure."""
        if self.prompt_s is None or self.completion_s is None:
            return None
        return prompt * self.prompt_s + completion * self.completion_s

    def cost(self, seconds: float | None) -> Decimal | None:
        """Return the energy: 0 when the owner set no price for it, None when time is unknown."""
        if self.usd_per_s is None:
            return Decimal(0)
        return None if seconds is None else self.usd_per_s * Decimal(str(round(seconds, 6)))


@dataclass(slots=True)
class _Sum:
    entries: int = 0
    requests: int | None = 0
    prompt: int = 0
    cached: int = 0
    completion: int = 0
    priced: int = 0
    paid: Decimal = Decimal(0)
    models: set[str] = field(default_factory=set)

    def add(self, usage: Usage, paid: Decimal | None) -> None:
        self.entries += 1
        known = self.requests is not None and usage.requests is not None
        self.requests = (self.requests or 0) + (usage.requests or 0) if known else None
        self.prompt += usage.prompt
        self.cached += usage.cached
        self.completion += usage.completion
        self.models.add(usage.model)
        if paid is not None:
            self.priced += 1
            self.paid += paid


def summarize(usages: Iterable[Usage], prices: dict[str, Price], home: Home) -> list[UsageKind]:
    """Return the kinds, the dearest first."""
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for usage in usages:
        sums[kind(usage)].add(usage, paid(usage, prices))
    found = [_kind(name, one, home) for name, one in sums.items()]
    return sorted(found, key=lambda one: (-(one.paid_usd or 0), one.kind))


def paid(usage: Usage, prices: dict[str, Price]) -> Decimal | None:
    """Return what the file says that it cost, else the table's price, else None.

    The table's price counts cached tokens as fresh ones, so it is an upper bound.
    """
    if usage.cost is not None:
        return usage.cost
    price = prices.get(usage.model)
    return price.of(usage.prompt, usage.completion) if price else None


def kind(usage: Usage) -> str:
    """Return the kind of work: by what the export calls it, else by the mean size of a request."""
    words = f"{usage.work} {usage.model}".lower()
    for name, marks in WORDS.items():
        if any(mark in words for mark in marks):
            return name
    if not usage.requests:
        return "chat (sizes unknown)"
    prompt, answer = usage.prompt / usage.requests, usage.completion / usage.requests
    if prompt >= LONG_PROMPT:
        return "long documents"
    if answer >= LONG_ANSWER:
        return "long answers"
    return "short questions" if prompt < SHORT else "conversations"


def _kind(name: str, found: _Sum, home: Home) -> UsageKind:
    movable = name in MOVABLE
    told = movable and (found.prompt or found.completion)
    seconds = home.seconds(found.prompt, found.completion) if told else None
    local = home.cost(seconds) if movable else None
    cost = found.paid if found.priced == found.entries else None
    return UsageKind(
        kind=name,
        movable=movable,
        entries=found.entries,
        requests=found.requests,
        prompt_tokens=found.prompt,
        cached_tokens=found.cached,
        completion_tokens=found.completion,
        models=tuple(sorted(found.models)[:20]),
        priced=found.priced,
        paid_usd=cost,
        local_usd=local,
        local_hours=None if seconds is None else round(seconds / 3600, 3),
        saved_usd=None if cost is None or local is None else cost - local,
    )
