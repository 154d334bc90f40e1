"""The tools of this process: the built-in ones, and those of the servers that the owner named."""

from __future__ import annotations

from collections.abc import Iterable

from services.agents.tools.artifacts import WRITE_ARTIFACT
from services.agents.tools.documents import READ_ATTACHMENT
from services.agents.tools.fetch import HTTP_FETCH
from services.agents.tools.inspect import RUN_CHECK
from services.agents.tools.recall import SEARCH_SESSIONS
from services.agents.tools.status import READ_STATUS
from services.agents.tools.tool import Bench, Tool

BUILT_IN = {
    tool.name: tool
    for tool in (
        READ_ATTACHMENT, SEARCH_SESSIONS, READ_STATUS, HTTP_FETCH, WRITE_ARTIFACT, RUN_CHECK,
    )
}  # fmt: skip


class Toolbox:
    """Finds tools by the names in agents' files; `own` are given in place of the built-in ones."""

    def __init__(self, own: Iterable[Tool] | None = None) -> None:
        self._own = BUILT_IN if own is None else {tool.name: tool for tool in own}

    async def fitting(self, names: Iterable[str], bench: Bench) -> dict[str, Tool]:
        """Return the named tools that the step may need, by name."""
        found = (self._own[name] for name in names if name in self._own)
        return {tool.name: tool for tool in found if tool.fits(bench)}
