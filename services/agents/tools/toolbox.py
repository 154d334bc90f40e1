"""The tools of this process: the built-in ones, and those of the servers that the owner named."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import anyio

from services.agents.crew import AgentSpec
from services.agents.tools.artifacts import WRITE_ARTIFACT
from services.agents.tools.documents import READ_ATTACHMENT
from services.agents.tools.fetch import HTTP_FETCH
from services.agents.tools.inspect import RUN_CHECK
from services.agents.tools.mcp_link import McpLink
from services.agents.tools.mcp_tools import SEPARATOR, tools_of
from services.agents.tools.recall import SEARCH_SESSIONS
from services.agents.tools.status import READ_STATUS
from services.agents.tools.tool import Bench, Tool
from shared.errors import InvalidSetting, SovereignError
from shared.settings import McpServer

log = logging.getLogger(__name__)

BUILT_IN = {
    tool.name: tool
    for tool in (
        READ_ATTACHMENT, SEARCH_SESSIONS, READ_STATUS, HTTP_FETCH, WRITE_ARTIFACT, RUN_CHECK,
    )
}  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """The tools that a step is offered, by name; `notices` tell which servers are away."""

    tools: Mapping[str, Tool] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


class Toolbox:
    """Finds tools by the names in agents' files; `own` are given in place of the built-in ones."""

    def __init__(
        self, servers: Iterable[McpServer] = (), own: Iterable[Tool] | None = None
    ) -> None:
        self._own = BUILT_IN if own is None else {tool.name: tool for tool in own}
        self._links = {server.name: McpLink(server) for server in servers}

    async def run(self) -> None:
        """Keep the connections to servers until cancelled."""
        async with anyio.create_task_group() as tasks:
            for link in self._links.values():
                tasks.start_soon(link.run)

    def check(self, spec: AgentSpec) -> None:
        """Raise `InvalidSetting` for an agent that names a tool or server that there is not."""
        for name in spec.tools:
            if name not in self._own and name.partition(SEPARATOR)[0] not in self._links:
                known = ", ".join([*self._own, *self._links])
                line = f"{spec.name}.yaml: tools: no tool or server {name!r}; there are: {known}"
                raise InvalidSetting(line, field="tools")

    async def fitting(self, names: Iterable[str], bench: Bench) -> Offer:
        """Return the named tools that the step may need; a server that is away offers none."""
        wanted = list(names)
        found = [self._own[name] for name in wanted if name in self._own]
        notices = []
        for server, link in self._links.items():
            asked = _asked(server, wanted)
            if asked is None or asked:
                try:
                    found += await tools_of(link, asked)
                except SovereignError as error:
                    log.warning("%s", error)
                    notices.append(f"went on without tools: {error.message}")
        fit = {tool.name: tool for tool in found if tool.fits(bench)}
        return Offer(fit, tuple(notices))


def _asked(server: str, names: Iterable[str]) -> frozenset[str] | None:
    """Return the tools of a server that an agent names; None when it names the server itself."""
    pairs = [name.partition(SEPARATOR) for name in names]
    mine = [tool for first, _, tool in pairs if first == server]
    return None if "" in mine else frozenset(mine)
