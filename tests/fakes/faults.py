"""How a chat of the fake goes: well, or wrong in the way that the model's name begins with.

slow-load (no byte for `load_s`), stall (two tokens, then nothing), mid (an error line), cut (the
socket goes), crash (500 always), crash-once, nodone (no last line), len (length limit), badjson
(breaks the schema), badjson-once, halfline, garbage, repeat (a token for ever, then no last line),
endless (a token for ever, and no limit), busy (503), toomany (429), notools, wordy (calls no
tool), wordy-once, thinker, remote (tells a remote host), nocount (no counts), slow (0.02 s a
token).
"""

import asyncio
import time
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from tests.fakes import answers
from tests.fakes.requests import Malformed, prompt_tokens

if TYPE_CHECKING:
    from tests.fakes.ollama import FakeOllama

NAMES = (
    "slow-load", "stall", "mid", "cut", "crash", "nodone", "len", "badjson", "halfline", "garbage",
    "repeat", "busy", "toomany", "notools", "remote", "nocount", "slow", "wordy", "thinker",
    "endless",
)  # fmt: skip
CRASHED = "model runner has unexpectedly stopped, this may be due to resource limitations"
FIRST = {"busy": (503, "server busy, please try again.  maximum pending requests exceeded"),
         "toomany": (429, "too many requests"), "crash": (500, CRASHED)}  # fmt: skip


def known(name: str) -> bool:
    return name.startswith(NAMES)


def fault(name: str) -> str:
    return next((known for known in NAMES if name.startswith(known)), "")


async def run(
    server: "FakeOllama", request: web.Request, body: dict[str, Any]
) -> web.StreamResponse:
    """Answer one chat, holding one of the server's places (waiting is silent)."""
    name = body["model"]
    server.stats.open_streams += 1
    server.stats.most_open = max(server.stats.most_open, server.stats.open_streams)
    try:
        async with server.room:
            return await _answer(server, request, body, name)
    except (asyncio.CancelledError, ConnectionError):
        server.stats.cancelled += 1
        raise
    finally:
        server.stats.open_streams -= 1


async def _answer(
    server: "FakeOllama", request: web.Request, body: dict[str, Any], name: str
) -> web.StreamResponse:
    kind = server.fault or fault(name)
    again = name in server.seen
    server.seen.add(name)
    if kind in FIRST and not (name.endswith("-once") and again):
        status, words = FIRST[kind]
        raise Malformed(words, status)
    if kind == "slow-load":
        await asyncio.sleep(server.load_s)
    lines = _lines(server, body, kind if not (name.endswith("-once") and again) else "")
    if body.get("stream", True) is False:
        return _whole(lines)
    return await _stream(server, request, lines, kind)


def _lines(server: "FakeOllama", body: dict[str, Any], kind: str) -> list[Any]:
    """Return what is written, line by line; a string stands for something that goes wrong."""
    began = time.monotonic()
    message = _message(body, kind)
    tokens = answers.pieces(message["content"])
    limit = (body.get("options") or {}).get("num_predict", -1)
    reason = "length" if kind == "len" or 0 < limit < len(tokens) else "stop"
    tokens = tokens[:limit] if 0 < limit < len(tokens) else tokens
    head = [_line(body, {"role": "assistant", "content": token}) for token in tokens]
    if kind == "thinker":
        thought = {"role": "assistant", "content": "", "thinking": "Let me see."}
        head = [_line(body, thought), *head]
    if message.get("tool_calls"):
        head = [_line(body, message)]
    last = server.last(body, reason, prompt_tokens(body), len(tokens), began)
    broken = {
        "mid": [*head[:2], {"error": "an error was encountered while running the model"}],
        "cut": [*head[:2], "cut"],
        "stall": [*head[:2], "stall"],
        "endless": ["endless"],
        "halfline": [*head[:2], "half"],
        "garbage": [*head[:2], "garbage"],
        "nodone": head,
        "repeat": [_line(body, {"role": "assistant", "content": "the "})] * 31,
    }
    return broken.get(kind, [*head, last])


def _message(body: dict[str, Any], kind: str) -> dict[str, Any]:
    wanted, said = body.get("format"), {"role": "assistant", "content": ""}
    if body.get("tools") and kind != "wordy" and body["messages"][-1].get("role") != "tool":
        return said | {"tool_calls": [_tool_call(body)]}
    if kind == "badjson" and wanted:
        return said | {"content": '{"nothing": "of what was asked"}'}
    if isinstance(wanted, dict):
        value = answers.instance(wanted, answers.last_user(body["messages"]))
        return said | {"content": orjson.dumps(value).decode()}
    text = answers.text(body["messages"])
    return said | {"content": orjson.dumps({"answer": text}).decode() if wanted else text}


def _tool_call(body: dict[str, Any]) -> dict[str, Any]:
    function = body["tools"][0]["function"]
    prompt = answers.last_user(body["messages"])
    arguments = answers.instance(function.get("parameters", {"type": "object"}), prompt)
    called = {"index": 0, "name": function["name"], "arguments": arguments}
    return {"id": "call_ab12cd34", "function": called}


def _line(body: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    at = "2026-11-23T00:00:00.000000001Z"
    return {"model": body["model"], "created_at": at, "message": message, "done": False}


def _whole(lines: list[Any]) -> web.Response:
    """Answer without a stream: one object; no last line means `done` is false."""
    if isinstance(lines[-1], str) or "error" in lines[-1]:
        raise Malformed("an error was encountered while running the model", 500)
    text = "".join(line["message"]["content"] for line in lines)
    calls = [call for line in lines for call in line["message"].get("tool_calls", [])]
    message = {"role": "assistant", "content": text} | ({"tool_calls": calls} if calls else {})
    return web.json_response(lines[-1] | {"message": message})


async def _stream(
    server: "FakeOllama", request: web.Request, lines: list[Any], kind: str
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    for line in lines:
        if isinstance(line, str):
            await _break(request, response, line)
            return response
        await response.write(orjson.dumps(line) + b"\n")
        await asyncio.sleep(0.02 if kind == "slow" else server.delay_s)
    return response


async def _break(request: web.Request, response: web.StreamResponse, how: str) -> None:
    if how == "stall":
        await asyncio.sleep(3600)
    if how == "cut" and request.transport is not None:
        await asyncio.sleep(0.01)
        request.transport.abort()
    if how == "half":
        await response.write(b'{"model":"halfline","message":{"role":"assi')
    while how == "endless":
        line = {"model": "endless", "message": {"role": "assistant", "content": "on "}}
        await response.write((orjson.dumps(line) + b"\n") * 100)
    if how == "garbage":
        await response.write(b"<html>not json</html>\n")
