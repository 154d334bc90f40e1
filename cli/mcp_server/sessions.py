"""Tools about sessions: search what was recorded, append a fact, take over with a handoff."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from mcp.server import MCPServer
from pydantic import BaseModel, Field

from cli.connection import request
from cli.mcp_server.line import Line
from cli.wishes import build, namespace_of, person
from shared.bus import Bus
from shared.events import (
    Handoff,
    SearchAsk,
    SearchReply,
    SessionAppend,
    SessionAppended,
    SessionAsk,
)
from shared.settings import Settings

Reply = TypeVar("Reply", bound=BaseModel)
Kind = Literal[
    "note", "decision", "learning", "pending.add", "pending.done", "pending.drop", "artifact",
    "state.set", "session.opened", "session.closed",
]  # fmt: skip
Session = Annotated[str, Field(description="The session's id: letters, digits, - and _")]
Namespace = Annotated[str | None, Field(description="Whose notes; the owner's unless given")]

SEARCH_S = 15.0
TOKENS = 4000


def register(server: MCPServer, line: Line) -> None:
    """Add the tools of this family."""
    _search(server, line)
    _append(server, line)
    _handoff(server, line)


def _search(server: MCPServer, line: Line) -> None:
    @server.tool()
    async def search(
        query: Annotated[str, Field(description="Words to look for")],
        limit: Annotated[int, Field(ge=1, le=50)] = 10,
        session: Annotated[str | None, Field(description="Only in this session")] = None,
        around: Annotated[int, Field(ge=0, le=5, description="Events beside each hit")] = 1,
        tokens: Annotated[int, Field(ge=50, le=100_000, description="Budget")] = TOKENS,
        namespace: Namespace = None,
    ) -> dict[str, Any]:
        """Find what was decided, learned, done or left open in any session; cite by event_id."""
        fields = {"query": query, "limit": limit, "session_id": session, "around": around,
                  "tokens": tokens, "namespace": namespace}  # fmt: skip
        return await _ask(line, "session.search", (SearchAsk, SearchReply), fields)


def _append(server: MCPServer, line: Line) -> None:
    @server.tool()
    async def append(
        session: Session,
        title: Annotated[str, Field(description="The fact, in one line")],
        kind: Kind = "note",
        body: Annotated[str, Field(description="More about it")] = "",
        data: Annotated[
            dict[str, Any] | None,
            Field(
                description="By kind: decision {why, rejected}, learning {evidence, confidence},"
                " pending.add {owner, priority}, pending.done {pending: event_id},"
                " artifact {uri, sha256}, state.set {key, value}"
            ),
        ] = None,
        event_id: Annotated[str | None, Field(description="Your own id; twice is once")] = None,
        expected_seq: Annotated[
            int | None, Field(description="Refuse unless it is at this")
        ] = None,
        namespace: Namespace = None,
    ) -> dict[str, Any]:
        """Record one fact for good: what is not appended is lost for the next one."""
        fields = {"session_id": session, "title": title, "kind": kind, "body": body,
                  "data": data or {}, "event_id": event_id, "expected_seq": expected_seq,
                  "namespace": namespace, "actor": person()}  # fmt: skip
        return await _ask(line, "session.append", (SessionAppend, SessionAppended), fields)


def _handoff(server: MCPServer, line: Line) -> None:
    @server.tool()
    async def handoff(session: Session, namespace: Namespace = None) -> dict[str, Any]:
        """Return where a session stands: goal, open items, decisions, learnings, how to go on."""
        fields = {"session_id": session, "namespace": namespace}
        found = await _ask(line, "session.handoff", (SessionAsk, Handoff), fields)
        return {key: found[key] for key in ("session_id", "seq", "checksum", "markdown")}


async def _ask(
    line: Line, subject: str, kinds: tuple[type[BaseModel], type[BaseModel]], fields: dict[str, Any]
) -> dict[str, Any]:
    async def work(bus: Bus, settings: Settings) -> dict[str, Any]:
        given = fields | {"namespace": namespace_of(settings, fields["namespace"])}
        answer = await request(bus, subject, build(kinds[0], given), kinds[1], SEARCH_S)
        return answer.model_dump(mode="json")

    return await line.run(work)
