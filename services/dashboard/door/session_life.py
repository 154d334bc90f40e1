"""What changes a session over HTTP: add, import, close, lease, fork, merge, resume, forget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ValidationError

from services.dashboard.parsing import json_of
from services.dashboard.plain import plain
from services.dashboard.reach import Reach
from shared import events as e
from shared.bus import invalid
from shared.errors import InvalidInput, Refused

LONG_S = 60.0
"""Seconds that an import or the proof of a forgetting may take."""


@dataclass(frozen=True)
class Word:
    """One `POST`: the rpc subject it stands for, with its bodies; the path below `/sessions`."""

    path: str
    subject: str
    ask: type[BaseModel]
    reply: type[BaseModel]
    about: str


WORDS = (
    Word("/import", "session.import", e.SessionImport, e.SessionImported,
         "A document (`name`, `text`) as facts; the same one again adds none."),
    Word("/merge", "session.merge", e.SessionBranch, e.SessionBranched,
         "A new session from two or more `parents`."),
    Word("/forget", "session.forget", e.SessionForget, e.SessionForgotten,
         "Erase a session, an actor, or with `everything` the namespace, and prove it."),
    Word("/{session_id}/events", "session.append", e.SessionAppend, e.SessionAppended,
         "Add one event; `expected_seq` refuses a stale writer with 409."),
    Word("/{session_id}/close", "session.close", e.SessionClose, e.SessionClosed,
         "Close the session; its handoff is made."),
    Word("/{session_id}/lease", "session.lease", e.LeaseAsk, e.Lease,
         "Take, renew or release the right to be its one writer."),
    Word("/{session_id}/resume", "session.resume", e.SessionResume, e.SessionResumed,
         "Check what the handoff promised and go on."),
)  # fmt: skip


def add_words(router: APIRouter, reach: Reach, namespace: str, read_only: bool) -> None:
    """Add a route for each word; body or query may name another namespace than the default."""
    for word in WORDS:
        _add(router, reach, word, {"namespace": namespace, "read_only": read_only})


def _add(router: APIRouter, reach: Reach, word: Word, house: dict[str, Any]) -> None:
    body = {"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}}

    @router.post(word.path, description=word.about, summary=word.subject, openapi_extra=body,
                 name=word.subject)  # fmt: skip
    async def spoken(request: Request) -> dict[str, Any]:
        if house["read_only"]:
            raise Refused("this dashboard is read-only", field="dashboard.read_only")
        given = _with_namespace(_object(await request.body()), request)
        if word.ask is e.SessionForget and given.get("everything") and "namespace" not in given:
            raise InvalidInput("namespace: name the one to forget whole", field="namespace")
        fields = {"namespace": house["namespace"]} | given | dict(request.path_params)
        answer = await reach.ask(word.subject, valid(word.ask, fields), word.reply, LONG_S)
        return plain(answer)


def _with_namespace(given: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the body with the namespace of the query; two different ones are refused."""
    for named in request.query_params.getlist("namespace"):
        if given.setdefault("namespace", named) != named:
            raise InvalidInput("namespace: the query names another one", field="namespace")
    return given


def _object(data: bytes) -> dict[str, Any]:
    found = json_of(data) if data.strip() else {}
    if not isinstance(found, dict):
        raise InvalidInput("the body is a JSON object or empty", field="body")
    return found


def valid(kind: type[BaseModel], fields: dict[str, Any]) -> BaseModel:
    """Return the body; raise `InvalidInput` naming the field."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise invalid(error) from None
