"""A fake OpenAI-compatible server: models, chat completions (streamed or not), embeddings."""

import asyncio
import time
from typing import Any

import orjson
from aiohttp import web

from tests.fakes import answers
from tests.fakes.ollama import Stats, vector


class FakeOpenAI:
    """One server; the model's name chooses what goes wrong: stall, mid, nofinish,
    page, missing, busy, late, long, no-key."""

    def __init__(self, models: tuple[str, ...] = ("local-model",)) -> None:
        self.models = models
        self.stats = Stats()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> "FakeOpenAI":
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/v1/embeddings", self._embed)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _models(self, _: web.Request) -> web.Response:
        listed = [{"id": name, "object": "model"} for name in self.models]
        return web.json_response({"object": "list", "data": listed})

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        data = [
            {"object": "embedding", "index": i, "embedding": [2 * x for x in vector(text)]}
            for i, text in enumerate(body["input"])
        ]
        usage = {"prompt_tokens": 3, "total_tokens": 3}
        return web.json_response(
            {"object": "list", "model": body["model"], "data": data, "usage": usage}
        )

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.stats.chats += 1
        self.stats.bodies.append(body)
        refused = _refusal(body["model"])
        if refused is not None:
            return refused
        self.stats.open_streams += 1
        try:
            return await self._stream(request, body)
        finally:
            self.stats.open_streams -= 1

    async def _stream(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for index, delta in enumerate(_deltas(body)):
            await _send(response, _chunk(body, delta, None))
            if index == 1 and body["model"] == "stall":
                await asyncio.sleep(3600)
            if index == 1 and body["model"] == "mid" and request.transport is not None:
                request.transport.abort()
                return response
        reason = "tool_calls" if _calls(body) else "stop"
        if body["model"] == "nofinish":
            await response.write(b"data: [DONE]\n\n")
            return response
        await _send(response, _chunk(body, {}, reason))
        usage: dict[str, Any] = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
        usage |= {"prompt_tokens_details": {"cached_tokens": 4}}
        await _send(response, _chunk(body, {}, None) | {"choices": [], "usage": usage})
        await response.write(b"data: [DONE]\n\n")
        return response


def _refusal(model: str) -> web.Response | None:
    if model == "page":
        return web.Response(text="<html>Please log in</html>", content_type="text/html")
    known = {
        "no-key": (401, "invalid_api_key", "Incorrect API key provided"),
        "late": (429, "rate_limit", "slow down"),
        "missing": (404, "model_not_found", "The model does not exist"),
        "busy": (503, "overloaded", "overloaded"),
        "long": (400, "context_length_exceeded", "the request exceeds the available context size"),
    }
    if model not in known:
        return None
    status, code, message = known[model]
    headers = {"Retry-After": "17"} if model == "late" else {}
    error = {"error": {"message": message, "code": code}}
    return web.json_response(error, status=status, headers=headers)


def _deltas(body: dict[str, Any]) -> list[dict[str, Any]]:
    if _calls(body):
        name = body["tools"][0]["function"]["name"]
        call = {"index": 0, "id": "call_1", "type": "function"}
        first = call | {"function": {"name": name, "arguments": '{"city":'}}
        return [
            {"role": "assistant", "tool_calls": [first]},
            {"tool_calls": [{"index": 0, "function": {"arguments": ' "Bern"}'}}]},
        ]
    wanted = body.get("response_format", {}).get("json_schema", {}).get("schema")
    prompt = answers.last_user(body["messages"])
    text = answers.text(body["messages"])
    if wanted:
        text = orjson.dumps(answers.instance(wanted, prompt)).decode()
    return [{"role": "assistant", "content": piece} for piece in answers.pieces(text)]


def _calls(body: dict[str, Any]) -> bool:
    """Tell whether a tool is to be called: there is one, and no result of it yet."""
    return bool(body.get("tools")) and body["messages"][-1].get("role") != "tool"


def _chunk(body: dict[str, Any], delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": int(time.time())}
    return head | {"model": body["model"], "choices": [choice]}


async def _send(response: web.StreamResponse, chunk: dict[str, Any]) -> None:
    await response.write(b"data: " + orjson.dumps(chunk) + b"\n\n")
