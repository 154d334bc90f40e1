"""A fake Ollama that speaks the real wire protocol, for tests and for trying things out.

`python -m tests.fakes.ollama --port 11434` runs it as its own process. What goes wrong is
chosen by the beginning of the model's name: see `faults.py`. `GET /fake/stats` counts.
"""

import argparse
import asyncio
import contextlib
import hashlib
import math
import re
import time
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.fakes import answers, faults
from tests.fakes.requests import Malformed, chat_problem, read_body

VERSION = "0.33.0"
CONTEXT = 131_072
WIDTH = 64


@dataclass
class Stats:
    """What the server saw; `open_streams` is how many answers are being written now."""

    requests: int = 0
    chats: int = 0
    embeds: int = 0
    open_streams: int = 0
    most_open: int = 0
    cancelled: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)
    embedded: list[list[str]] = field(default_factory=list)


class FakeOllama:
    """One server; `models` may be changed at any time."""

    def __init__(
        self, models: tuple[str, ...] = ("llama3.1:8b", "nomic-embed-text"), port: int = 0
    ) -> None:
        self.models = {canonical(name) for name in models}
        self.stats = Stats()
        self.port = port
        self.parallel = 4
        self.delay_s = 0.0
        self.pulls = 0
        self.load_s = 30.0
        self.seen: set[str] = set()
        self.cloud_disabled = True
        self.fault = ""
        self.embed_crashes = 0
        self.embed_gate = asyncio.Event()
        self.embed_gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "FakeOllama":
        self._room = asyncio.Semaphore(self.parallel)
        self._runner = web.AppRunner(self.app(), handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=64 << 20, middlewares=[self._guard])
        app.router.add_get("/", self._root)
        app.router.add_get("/api/version", self._version)
        app.router.add_get("/api/status", self._status)
        app.router.add_get("/api/tags", self._tags)
        app.router.add_get("/api/ps", self._ps)
        app.router.add_get("/fake/stats", self._stats)
        for name in ("show", "chat", "generate", "embed", "pull"):
            app.router.add_post(f"/api/{name}", getattr(self, f"_{name}"))
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Answer what is malformed as the real server does."""
        self.stats.requests += 1
        try:
            return await handler(request)
        except Malformed as error:
            return web.json_response({"error": error.message}, status=error.status)

    async def _root(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": VERSION})

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response({"cloud": {"disabled": self.cloud_disabled, "source": "env"}})

    async def _stats(self, _: web.Request) -> web.Response:
        return web.json_response(
            asdict(self.stats)
            | {"bodies": len(self.stats.bodies), "embedded": len(self.stats.embedded)}
        )

    async def _tags(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"models": [described(name, self.pulls) for name in sorted(self.models)]}
        )

    async def _ps(self, _: web.Request) -> web.Response:
        loaded = [
            described(name) | {"size_vram": 0, "context_length": 8192} for name in sorted(self.seen)
        ]
        return web.json_response({"models": loaded})

    async def _show(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        name = body.get("model") or body.get("name") or ""
        if not self._holds(name):
            raise Malformed(f"model '{name}' not found", 404)
        kind = "embedding" if "embed" in name else "completion"
        skills = [kind] if name.startswith("notools") else [kind, "tools"]
        info = {"general.architecture": "llama", "llama.context_length": CONTEXT}
        shown = {"template": "", "parameters": "", "details": details(), "model_info": info}
        return web.json_response(shown | {"capabilities": skills} | remote(name))

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request)
        self.stats.chats += 1
        self.stats.bodies.append(body)
        self._check_model(body, empty_status=400)
        problem = chat_problem(body)
        if problem is not None:
            raise problem
        if not body.get("messages"):
            reason = "unload" if body.get("keep_alive") == 0 else "load"
            return web.json_response(self._last(body, reason, (0, 0), 0.0))
        return await faults.run(self, request, body)

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request)
        self._check_model(body, empty_status=404)
        if body.get("raw") and (body.get("system") or body.get("template")):
            raise Malformed("raw mode does not support template, system, or context", 400)
        if not body.get("prompt"):
            return web.json_response(self._last(body, "load", (0, 0), 0.0, "generate"))
        said = answers.text([{"role": "user", "content": body["prompt"]}])
        last = self._last(body, "stop", (5, len(answers.pieces(said))), 0.0, "generate")
        return web.json_response(last | {"response": said})

    async def _embed(self, request: web.Request) -> web.Response:
        body = await read_body(request)
        self.stats.embeds += 1
        name = str(body.get("model", ""))
        if not self._holds(name):
            raise Malformed(f'model "{name}" not found, try pulling it first', 404)
        given = body.get("input", [])
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise Malformed("invalid input type", 400)
        if body.get("truncate") is False and any(len(text) > 4 * 8192 for text in texts):
            raise Malformed("the input length exceeds the context length", 400)
        self.stats.embedded.append(texts)
        await self.embed_gate.wait()
        if self.embed_crashes:
            self.embed_crashes -= 1
            raise Malformed("llama runner process has terminated", 500)
        count = sum(len(text.split()) for text in texts)
        width = min(WIDTH, body.get("dimensions") or WIDTH)
        vectors = [vector(text, width) for text in texts if text]
        return web.json_response(
            {"model": name, "embeddings": vectors, "total_duration": 1000, "load_duration": 10}
            | ({"prompt_eval_count": count} if count else {})
        )

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        """Send progress; what fails comes as an error line with status 200."""
        body = await read_body(request)
        name = str(body.get("model") or body.get("name") or "")
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        for line in pull_lines(name):
            await response.write(orjson.dumps(line) + b"\n")
            await asyncio.sleep(self.delay_s)
        if not name.startswith("missing"):
            self.models.add(canonical(name))
            self.pulls += 1
        return response

    def _check_model(self, body: dict[str, Any], empty_status: int) -> None:
        name = body.get("model") or ""
        if not name:
            raise Malformed("model is required", empty_status)
        if self.cloud_disabled and re.search(r"[:-]cloud$", name):
            raise Malformed("ollama cloud is disabled: remote inference is unavailable", 403)
        if not self._holds(name):
            raise Malformed(f"model '{name}' not found", 404)

    def _holds(self, name: str) -> bool:
        if name.startswith("missing"):
            return False
        return canonical(name) in self.models or faults.known(name)

    def last(
        self, body: dict[str, Any], reason: str, prompt: int, said: int, began: float
    ) -> dict[str, Any]:
        return self._last(body, reason, (prompt, said), time.monotonic() - began)

    def _last(
        self,
        body: dict[str, Any],
        reason: str,
        tokens: tuple[int, int],
        seconds: float,
        kind: str = "chat",
    ) -> dict[str, Any]:
        """Return the last object: nanoseconds; what is zero is left out. `tokens`: in and out."""
        prompt, said = tokens
        nanoseconds = max(int(seconds * 1e9), 1000)
        answer = {"message": {"role": "assistant", "content": ""}}
        line = {"model": body["model"], "created_at": "2026-11-23T00:00:00.000000001Z"}
        line |= answer if kind == "chat" else {"response": ""}
        line |= {"done": True, "done_reason": reason, "total_duration": nanoseconds}
        line |= {"load_duration": nanoseconds // 10 or 1}
        if not body["model"].startswith("nocount"):
            line |= {"prompt_eval_count": prompt} if prompt else {}
            line |= {"prompt_eval_duration": nanoseconds // 10} if prompt else {}
            line |= {"eval_count": said} if said else {}
            line |= {"eval_duration": nanoseconds // 2} if said else {}
        return line | remote(body["model"])

    @property
    def room(self) -> asyncio.Semaphore:
        return self._room


def canonical(name: str) -> str:
    return name if ":" in name else f"{name}:latest"


def remote(name: str) -> dict[str, str]:
    if not name.startswith("remote"):
        return {}
    return {"remote_model": "big", "remote_host": "https://ollama.com:443"}


def details() -> dict[str, Any]:
    return {"format": "gguf", "family": "llama", "parameter_size": "8B", "quantization_level": "Q4"}


def described(name: str, pulls: int = 0) -> dict[str, Any]:
    digest = hashlib.sha256(f"{name} {pulls}".encode()).hexdigest()
    model = {"name": name, "model": name, "modified_at": "2026-11-01T00:00:00Z"}
    return model | {"size": 4_900_000_000, "digest": digest, "details": details()} | remote(name)


def vector(text: str, width: int = WIDTH) -> list[float]:
    """Return a unit vector of hashed words, so that alike texts lie close together."""
    raw = [0.0] * width
    for word in re.findall(r"\w+", text.lower()):
        raw[int(hashlib.sha256(word.encode()).hexdigest(), 16) % width] += 1.0
    length = math.sqrt(sum(x * x for x in raw)) or 1.0
    return [x / length for x in raw]


def pull_lines(name: str) -> list[dict[str, Any]]:
    start: list[dict[str, Any]] = [{"status": "pulling manifest"}]
    if name.startswith("missing"):
        return [*start, {"error": "pull model manifest: file does not exist"}]
    one, two = "a" * 12, "b" * 12
    layers = [(one, 500, 1000), (two, 50, 100), (one, 1000, 1000), (two, 100, 100)]
    for digest, done, total in layers:
        whole = "sha256:" + digest * 5
        line = {"status": f"pulling {digest}", "digest": whole, "total": total, "completed": done}
        start.append(line)
    ends = ("verifying sha256 digest", "writing manifest", "success")
    return start + [{"status": status} for status in ends]


async def serve(server: FakeOllama) -> None:
    async with server:
        print(f"fake Ollama at {server.url}", flush=True)  # noqa: T201
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=11434)
    parser.add_argument("--models", default="llama3.1:8b,nomic-embed-text")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds between tokens")
    arguments = parser.parse_args()
    names = tuple(name for name in arguments.models.split(",") if name)
    server = FakeOllama(names, arguments.port)
    server.delay_s = arguments.delay
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(server))


if __name__ == "__main__":
    main()
