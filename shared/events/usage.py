"""Past usage of clouds: what it cost, and what the same work would cost at home."""

from __future__ import annotations

from pydantic import Field

from shared.events.base import Body, UsDollars

MOST_BYTES = 64 << 20
"""Of a file to import."""
MOST_PACKED = 1_900_000
"""Characters of it, as it goes over the bus."""


class UsageImport(Body):
    """A request on `model.import`: an export of a cloud's usage; nothing of it is kept.

    `data` is base64 of the gzipped file. CSV, JSON and JSON lines are told apart by what they hold.
    """

    name: str = Field(default="", max_length=255)
    data: str = Field(min_length=1, max_length=MOST_PACKED)


class UsageFault(Body):
    """A line (of JSON: an entry, from 1) that was left out, and why."""

    line: int
    why: str


class UsageKind(Body):
    """All usage of one kind of work; null is unknown, never zero.

    `paid_usd` is what the file says, or else the price table; `priced` entries of `entries` have
    either. `local_usd` is the energy, `local_hours` the time of the same tokens on the owner's
    hosts at the speed that they showed so far. `movable` is false for what this router cannot do.
    """

    kind: str
    movable: bool = True
    entries: int = 0
    requests: int | None = None
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    models: tuple[str, ...] = ()
    priced: int = 0
    paid_usd: UsDollars | None = None
    local_usd: UsDollars | None = None
    local_hours: float | None = None
    saved_usd: UsDollars | None = None


class UsageImported(Body):
    """The answer of `model.import`: totals by kind of work, and what was left out.

    `faults` holds the first hundred of `rejected`. `unknown_models` have no price here.
    `repeated` entries told again of a call that was counted already.
    """

    source: str
    entries: int = 0
    rejected: int = 0
    repeated: int = 0
    faults: tuple[UsageFault, ...] = ()
    since: str = ""
    until: str = ""
    kinds: tuple[UsageKind, ...] = ()
    unknown_models: tuple[str, ...] = ()
    paid_usd: UsDollars | None = None
    saved_usd: UsDollars | None = None
    notice: str = ""
