"""An Ollama, and an OpenAI server, that answer at once: the upstream of the speed measurements.

`python -m benchmarks.instant_ollama PORT` runs it. It speaks HTTP/1.1 on bare asyncio streams of
bytes, so that it costs the measured path as little as can be. The model's name ends with the number
of chunks of its answers (`m-1`, `m-64`); `GET /count` tells how many chats it has answered.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import Any

TEXT = "word "
SHUT = re.compile(rb'"stream": ?false')
NAMES = ("m-1", "m-8", "m-64")
USAGE = {"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17}
VECTOR = [0.125] * 64
COUNTS = {"total_duration": 5000, "load_duration": 1000, "prompt_eval_count": 9,
          "prompt_eval_duration": 1000, "eval_count": 8, "eval_duration": 2000}  # fmt: skip


class Upstream(asyncio.Protocol):
    """One connection."""

    chats = 0

    def __init__(self) -> None:
        self.held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.held += data
        while True:
            head, found, rest = self.held.partition(b"\r\n\r\n")
            if not found:
                return
            length = _length(head)
            if len(rest) < length:
                return
            body, self.held = rest[:length], rest[length:]
            self.transport.write(self.answer(head.split(b" ", 2)[1].decode(), body))

    def answer(self, path: str, body: bytes) -> bytes:
        if path == "/api/chat":
            Upstream.chats += 1
            name = _field(body, b'"model":')
            return (PLAIN if SHUT.search(body) else CHATS).get(name) or _missing(name)
        if path == "/v1/chat/completions":
            Upstream.chats += 1
            asked = json.loads(body)
            return (STREAMS if asked.get("stream") else WHOLES)[asked["model"].rpartition("/")[2]]
        if path == "/api/embed":
            return _vectors(json.loads(body))
        if path == "/count":
            return _whole({"chats": Upstream.chats})
        return FIXED.get(path) or _whole({"error": f"nothing at {path}"}, "404 Not Found")


def _missing(name: str) -> bytes:
    return _whole({"error": f"model '{name}' not found"}, "404 Not Found")


def _length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(b"content-length:")
    return 0 if at < 0 else int(lower[at + 15 :].split(b"\r\n", 1)[0])


def _field(body: bytes, name: bytes) -> str:
    return body.partition(name)[2].lstrip().split(b'"', 2)[1].decode()


def _whole(body: Any, status: str = "200 OK") -> bytes:
    data = json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(data)}"
    return head.encode() + b"\r\n\r\n" + data


def _chunked(kind: str, parts: list[bytes]) -> bytes:
    """Return a chunked answer: every part a chunk of its own, as a model's tokens come."""
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n"
    told = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts)
    return head.encode() + told + b"0\r\n\r\n"


def _chat(name: str, count: int) -> bytes:
    at = {"model": name, "created_at": "2026-11-23T00:00:00.000000001Z"}
    lines: list[dict[str, Any]] = [
        at | {"message": {"role": "assistant", "content": TEXT}, "done": False}
    ] * count
    last = at | {"message": {"role": "assistant", "content": ""}, "done": True}
    lines.append(last | {"done_reason": "stop"} | COUNTS)
    return _chunked("application/x-ndjson", [json.dumps(line).encode() + b"\n" for line in lines])


def _plain(name: str, count: int) -> bytes:
    at = {"model": name, "created_at": "2026-11-23T00:00:00.000000001Z"}
    message = {"role": "assistant", "content": TEXT * count}
    return _whole(at | {"message": message, "done": True, "done_reason": "stop"} | COUNTS)


def _stream(name: str, count: int) -> bytes:
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": name}
    pieces: list[dict[str, Any]] = [{"role": "assistant", "content": TEXT}] * count
    chunks = [_choice(head, piece, None) for piece in pieces] + [_choice(head, {}, "stop")]
    chunks.append(head | {"choices": [], "usage": USAGE})
    parts = [b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks]
    return _chunked("text/event-stream", [*parts, b"data: [DONE]\n\n"])


def _choice(head: dict[str, Any], delta: dict[str, Any], why: str | None) -> dict[str, Any]:
    return head | {"choices": [{"index": 0, "delta": delta, "finish_reason": why}]}


def _completion(name: str, count: int) -> bytes:
    message = {"role": "assistant", "content": TEXT * count}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    head = {"id": "c", "object": "chat.completion", "created": 1, "model": name}
    return _whole(head | {"choices": [choice], "usage": USAGE})


def _vectors(asked: dict[str, Any]) -> bytes:
    texts = asked["input"]
    many = 1 if isinstance(texts, str) else len(texts)
    told = {"model": asked["model"], "embeddings": [VECTOR] * many, "prompt_eval_count": 9 * many}
    return _whole(told | {"total_duration": 5000, "load_duration": 1000})


def _each(make: Any) -> dict[str, bytes]:
    return {name: make(name, int(name.rpartition("-")[2])) for name in NAMES}


CHATS, STREAMS, WHOLES = _each(_chat), _each(_stream), _each(_completion)
PLAIN = _each(_plain)
DETAILS = {"format": "gguf", "family": "llama", "parameter_size": "8B"}
FIXED = {
    "/": _whole("Ollama is running"),
    "/api/version": _whole({"version": "0.33.0"}),
    "/api/status": _whole({"cloud": {"disabled": True}}),
    "/api/ps": _whole({"models": []}),
    "/api/tags": _whole({"models": [
        {"name": name, "model": name, "size": 1, "digest": name * 10, "details": DETAILS}
        for name in NAMES
    ]}),
    "/api/show": _whole({"capabilities": ["completion", "tools"], "details": DETAILS,
                         "model_info": {"general.architecture": "llama"}}),
    "/v1/models": _whole({"data": [{"id": name} for name in NAMES]}),
}  # fmt: skip


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
