"""Sessions over HTTP: list, load, search, hand over."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ValidationError

from services.dashboard.reach import Reach
from shared import events as e
from shared.bus import invalid


def routes(reach: Reach, namespace: str) -> APIRouter:
    """Return all routes under `/sessions`; `?namespace=` chooses another than the default."""
    router = APIRouter(tags=["sessions"], prefix="/sessions")
    _of_many(router, reach, namespace)
    _of_one(router, reach, namespace)
    return router


def _of_many(router: APIRouter, reach: Reach, namespace: str) -> None:
    @router.get("")
    async def listed(
        namespace: str = namespace, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> dict[str, Any]:
        """Sessions of a namespace, the latest first."""
        ask = _valid(e.SessionListAsk, namespace=namespace, limit=limit)
        return _dump(await reach.ask("session.list", ask, e.SessionList))

    @router.get("/search")
    async def searched(
        q: Annotated[str, Query(min_length=1, max_length=2000)],
        namespace: str = namespace,
        limit: Annotated[int, Query(ge=1, le=200)] = 10,
    ) -> dict[str, Any]:
        """Recall: events that answer the words of `q`, the best first."""
        ask = _valid(e.SearchAsk, namespace=namespace, query=q, limit=limit)
        return _dump(await reach.ask("session.search", ask, e.SearchReply))


def _of_one(router: APIRouter, reach: Reach, namespace: str) -> None:
    @router.get("/{session_id}")
    async def loaded(session_id: str, namespace: str = namespace) -> dict[str, Any]:
        """All events of a session, in order."""
        ask = _valid(e.SessionAsk, namespace=namespace, session_id=session_id)
        return _dump(await reach.ask("session.load", ask, e.SessionLoaded))

    @router.get("/{session_id}/handoff")
    async def handoff(session_id: str, namespace: str = namespace) -> dict[str, Any]:
        """The handoff document, as JSON with its Markdown inside."""
        ask = _valid(e.SessionAsk, namespace=namespace, session_id=session_id)
        return _dump(await reach.ask("session.handoff", ask, e.Handoff))

    @router.get("/{session_id}/handoff.md")
    async def handoff_text(session_id: str, namespace: str = namespace) -> PlainTextResponse:
        """The handoff document, as Markdown."""
        ask = _valid(e.SessionAsk, namespace=namespace, session_id=session_id)
        found = await reach.ask("session.handoff", ask, e.Handoff)
        return PlainTextResponse(found.markdown, media_type="text/markdown; charset=utf-8")


def _valid(kind: type[BaseModel], **values: Any) -> BaseModel:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise invalid(error) from None


def _dump(value: BaseModel) -> dict[str, Any]:
    return value.model_dump(mode="json")
