"""Sessions over HTTP: list, load, search, context, hand over, export; and what changes them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from services.dashboard.door.session_life import LONG_S, add_words, valid
from services.dashboard.plain import plain
from services.dashboard.reach import Reach
from shared import events as e
from shared.errors import Refused

SUMMARY_S = 130.0
"""Seconds in which a language model may write a summary."""
MARKDOWN = "text/markdown; charset=utf-8"


def routes(reach: Reach, namespace: str, read_only: bool = False) -> APIRouter:
    """Return all routes under `/sessions`; `?namespace=` chooses another than the default."""
    router = APIRouter(tags=["sessions"], prefix="/sessions")
    _of_many(router, reach, namespace)
    add_words(router, reach, namespace, read_only)
    _fork(router, reach, namespace, read_only)
    _of_one(router, reach, namespace)
    _documents(router, reach, namespace)
    return router


def _of_many(router: APIRouter, reach: Reach, namespace: str) -> None:
    @router.get("")
    async def listed(
        namespace: str = namespace, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> dict[str, Any]:
        """Sessions of a namespace, the latest first."""
        ask = _valid(e.SessionListAsk, namespace=namespace, limit=limit)
        return plain(await reach.ask("session.list", ask, e.SessionList))

    @router.get("/search")
    async def searched(
        q: Annotated[str, Query(min_length=1, max_length=2000)],
        namespace: str = namespace,
        limit: Annotated[int, Query(ge=1, le=200)] = 10,
        session: str | None = None,
        around: Annotated[int, Query(ge=0, le=5)] = 0,
        tokens: Annotated[int | None, Query(ge=50, le=200_000)] = None,
    ) -> dict[str, Any]:
        """Recall: events that answer the words of `q`, the best first, within `tokens`."""
        ask = _valid(
            e.SearchAsk, namespace=namespace, query=q, limit=limit, session_id=session,
            around=around, tokens=tokens,
        )  # fmt: skip
        return plain(await reach.ask("session.search", ask, e.SearchReply, LONG_S))

    @router.get("/context")
    async def context(
        q: Annotated[str, Query(max_length=2000)] = "",
        session: str | None = None,
        namespace: str = namespace,
        tokens: Annotated[int, Query(ge=50, le=100_000)] = 1500,
    ) -> dict[str, Any]:
        """What matters for a task about `q`: open items, decisions, recall, within `tokens`."""
        ask = _valid(
            e.SessionContextAsk, namespace=namespace, query=q, session_id=session, tokens=tokens
        )
        return plain(await reach.ask("session.context", ask, e.SessionContext, LONG_S))


def _fork(router: APIRouter, reach: Reach, namespace: str, read_only: bool) -> None:
    @router.post("/{session_id}/fork/{new}")
    async def forked(
        session_id: str, new: str, namespace: str = namespace,
        seq: Annotated[int | None, Query(ge=1)] = None,
    ) -> dict[str, Any]:  # fmt: skip
        """A new session from this one, as it was after event `seq` or is now."""
        if read_only:
            raise Refused("this dashboard is read-only", field="dashboard.read_only")
        parent = {"session_id": session_id, "seq": seq}
        ask = _valid(e.SessionBranch, namespace=namespace, session_id=new, parents=[parent])
        return plain(await reach.ask("session.fork", ask, e.SessionBranched, LONG_S))


def _of_one(router: APIRouter, reach: Reach, namespace: str) -> None:
    @router.get("/{session_id}")
    async def loaded(session_id: str, namespace: str = namespace) -> dict[str, Any]:
        """All events of a session, in order."""
        ask = _valid(e.SessionAsk, namespace=namespace, session_id=session_id)
        return plain(await reach.ask("session.load", ask, e.SessionLoaded, LONG_S))


def _documents(router: APIRouter, reach: Reach, namespace: str) -> None:
    @router.get("/{session_id}/handoff")
    async def handoff(
        session_id: str, namespace: str = namespace, summary: bool = False
    ) -> dict[str, Any]:
        """The handoff document, as JSON with its Markdown inside; `summary` asks a model too."""
        ask = _valid(e.SessionAsk, namespace=namespace, session_id=session_id, summary=summary)
        within_s = SUMMARY_S if summary else LONG_S
        return plain(await reach.ask("session.handoff", ask, e.Handoff, within_s))

    @router.get("/{session_id}/handoff.md")
    async def handoff_text(session_id: str, namespace: str = namespace) -> PlainTextResponse:
        """The handoff document, as Markdown."""
        ask = _valid(e.SessionAsk, namespace=namespace, session_id=session_id)
        found = await reach.ask("session.handoff", ask, e.Handoff)
        return PlainTextResponse(found.markdown, media_type=MARKDOWN)

    @router.get("/{session_id}/export")
    async def exported(
        session_id: str, namespace: str = namespace, form: Literal["notes", "json"] = "notes"
    ) -> PlainTextResponse:
        """A document that an import takes back: notes for agents, or JSON with all events."""
        ask = _valid(e.SessionExport, namespace=namespace, session_id=session_id, form=form)
        found = await reach.ask("session.export", ask, e.SessionExported, LONG_S)
        kind = MARKDOWN if form == "notes" else "application/json"
        return PlainTextResponse(found.text, media_type=kind)


def _valid(kind: type[BaseModel], **values: Any) -> BaseModel:
    return valid(kind, values)
