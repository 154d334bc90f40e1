"""The card and the JSON-RPC endpoint."""

from __future__ import annotations

import logging
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.dashboard.a2a import faults
from services.dashboard.a2a.calls import Calls
from services.dashboard.a2a.card import PATH, PROTOCOL, card
from services.dashboard.access.gate import Gate
from services.dashboard.desk import Desk
from services.dashboard.reach import Reach
from shared.errors import SovereignError
from shared.events import AgentRoster, Empty

log = logging.getLogger(__name__)

VERSION_HEADER = "A2A-Version"


def routes(desk: Desk, reach: Reach, gate: Gate, name: str) -> APIRouter:
    """Return `/.well-known/agent-card.json` and `/a2a`."""
    router = APIRouter(tags=["a2a"])

    @router.get("/.well-known/agent-card.json")
    async def agent_card(request: Request) -> JSONResponse:
        """Who answers here: A2A 1.0's agent card; the agents at work are its skills."""
        base_url = str(request.base_url).rstrip("/")
        return JSONResponse(card(name, base_url, await _roster(reach), gate.asks))

    @router.post(PATH)
    async def rpc(request: Request) -> JSONResponse:
        """JSON-RPC 2.0 of A2A 1.0: SendMessage, GetTask, CancelTask."""
        version = request.headers.get(VERSION_HEADER, PROTOCOL)
        body = await request.body()
        return JSONResponse(await answer(Calls(desk, request.is_disconnected), body, version))

    return router


async def _roster(reach: Reach) -> AgentRoster | None:
    try:
        return await reach.ask("agent.status", Empty(), AgentRoster)
    except SovereignError:
        return None


async def answer(calls: Calls, body: bytes, version: str) -> dict[str, Any]:
    """Return the JSON-RPC response for a body; every failure is one too."""
    call_id: Any = None
    try:
        asked = _parsed(body)
        call_id = asked.get("id")
        if version.split(".")[:1] != PROTOCOL.split(".")[:1]:
            raise faults.wrong_version(f"A2A {version[:20]}: this door speaks {PROTOCOL}")
        result = await calls.serve(_method(asked), asked.get("params") or {})
    except faults.Fault as fault:
        return _failed(call_id, fault)
    except SovereignError as error:
        return _failed(call_id, faults.of(error))
    return {"jsonrpc": "2.0", "id": call_id, "result": result}


def _failed(call_id: Any, fault: faults.Fault) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "error": fault.body()}


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise faults.Fault(-32700, "PARSE_ERROR", f"malformed JSON: {error}"[:300]) from None
    if not isinstance(asked, dict):
        raise faults.wrong_request("give one request object; batches are not served")
    return asked


def _method(asked: dict[str, Any]) -> str:
    """Return the method of a request of JSON-RPC 2.0 that wants an answer."""
    method = asked.get("method")
    if asked.get("jsonrpc") != "2.0" or not isinstance(method, str) or "id" not in asked:
        raise faults.wrong_request("a request has jsonrpc 2.0, a method and an id")
    return method
