"""What waits for each agent, by priority: read from the queues' own consumers."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from services.dashboard.pages import parts, words
from services.dashboard.streams import Follower, Streams
from shared.bus import Bus
from shared.errors import SovereignError
from shared.events.tasks import Priority
from shared.streams import STEPS, TASKS

MANAGER = "manager"
TITLE = "Queues"


class Queues:
    """The queues as they were last read, and why there is no newer picture."""

    def __init__(self, bus: Bus) -> None:
        self._asks = Streams(bus)
        self.found: list[Follower] = []
        self.error = "asking…"

    async def look(self) -> None:
        """Read them once; what was seen last stays where they cannot be read."""
        try:
            tasks = await self._asks.followers(TASKS.name)
            self.found = tasks + await self._asks.followers(STEPS.name)
            self.error = ""
        except SovereignError as error:
            self.error = error.message


def queues(seen: Queues) -> Markup:
    """Return a row for the manager's new tasks and one for each agent's steps."""
    if not seen.found:
        why = seen.error or "No agent has a queue yet."
        return parts.card(TITLE, parts.empty("Not known now", why), flush=True)
    by_name = {one.name: one for one in seen.found}
    names = _names(seen.found)
    heads = ("For", *(f">{priority.value}" for priority in Priority), ">In hand")
    rows = [_row(name, by_name) for name in names]
    aside = Markup('<span class="muted">waiting, by priority</span>')
    old = parts.note(f"This is the last known picture: {seen.error}") if seen.error else ""
    return Markup("{}{}").format(
        old, parts.card(TITLE, parts.table(heads, rows), aside, flush=True)
    )


def _names(found: Iterable[Follower]) -> list[str]:
    """Return who has a queue for each priority: the manager first, then agents by name."""
    ends = {str(priority) for priority in Priority}
    parted = (one.name.rpartition("-") for one in found)
    names = {name for name, _, end in parted if end in ends}
    return sorted(names, key=lambda name: (name != MANAGER, name))


def _row(name: str, by_name: dict[str, Follower]) -> Markup:
    mine = [by_name.get(f"{name}-{priority}") for priority in Priority]
    label = "new tasks" if name == MANAGER else words.cut(name, 40)
    cells = (
        parts.cell(label, "name"),
        *(parts.cell(words.count(one.waiting) if one else words.DASH, "right num") for one in mine),
        parts.cell(words.count(sum(one.in_hand for one in mine if one)), "right num"),
    )
    return parts.row(cells, f"queue-{name}", "hit")
