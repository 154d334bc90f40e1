"""Other ways to the same upstream: libraries in this process, gateways in their own.

`BENCH_PEERS` names a Python with `litellm[proxy]`, `PEERS_PYTHON` one with `tensorzero`, and
`BENCH_PORTKEY` the `start-server.js` of the npm package `@portkey-ai/gateway`. What is not there is
left out with one line. TensorZero's gateway is a Rust program that no package registry carries (it
comes as a container image), but its Python package holds the same gateway: embedded, without a
hop, and served over HTTP from that process.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import warnings
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from benchmarks.measuring import One, Way
from benchmarks.router_place import SAID, post, ready, running
from tests.conftest import free_port

SCRIPT = Path(__file__).parent / "peers" / "tensorzero_gateway.py"
MOST_LINE = 1 << 24
PROXIES = ("LiteLLM proxy", "LiteLLM proxy, ollama_chat")
"""By the provider that it is told: a server that speaks OpenAI's language, or Ollama itself."""
Opened = Callable[[aiohttp.ClientSession, str, str], AbstractAsyncContextManager[list[Way]]]


@asynccontextmanager
async def peers(session: aiohttp.ClientSession, upstream: str) -> AsyncIterator[list[Way]]:
    """Yield every peer that is installed."""
    gateways: dict[str, tuple[str, Opened]] = {
        "BENCH_PEERS": ("the LiteLLM proxy", _proxy),
        "BENCH_PORTKEY": ("Portkey", _portkey),
        "PEERS_PYTHON": ("TensorZero", _tensorzero),
    }
    async with AsyncExitStack() as stack:
        found = [_ollama(upstream), *await _litellm(upstream)]
        for variable, (name, opened) in gateways.items():
            where = os.environ.get(variable)
            if where:
                found += await stack.enter_async_context(opened(session, upstream, where))
            else:
                print(f"left out: {name} ({variable} is not set)")
        yield found


def _ollama(upstream: str) -> Way:
    import ollama

    client = ollama.AsyncClient(upstream)
    return Way("ollama client", lambda: client.chat("m-1", SAID))


async def _litellm(upstream: str) -> list[Way]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    warnings.simplefilter("ignore")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    given: dict[str, Any] = {"model": "openai/m-1", "api_base": f"{upstream}/v1", "api_key": "none"}
    router = litellm.Router([{"model_name": "m", "litellm_params": given}])
    return [
        Way("litellm SDK", lambda: litellm.acompletion(messages=SAID, **given)),
        Way("litellm Router", lambda: router.acompletion("m", messages=SAID)),
    ]


@asynccontextmanager
async def _proxy(
    session: aiohttp.ClientSession, upstream: str, python: str
) -> AsyncIterator[list[Way]]:
    port, bin_ = free_port(), Path(python).parent
    openai = {"model": "openai/m-1", "api_base": f"{upstream}/v1", "api_key": "none"}
    given = {PROXIES[0]: openai, PROXIES[1]: {"model": "ollama_chat/m-1", "api_base": upstream}}
    named = [{"model_name": name, "litellm_params": one} for name, one in given.items()]
    config = _written({"model_list": named})
    command = [str(bin_ / "litellm"), "--config", config, "--port", str(port)]
    environment = dict(os.environ, LITELLM_MASTER_KEY="sk-1", LITELLM_LOCAL_MODEL_COST_MAP="True")
    url = f"http://127.0.0.1:{port}/v1/chat/completions"

    def way(name: str) -> One:
        body = orjson.dumps({"model": name, "messages": SAID})
        return lambda: post(session, url, body, authorization="Bearer sk-1")

    async with running(command, environment) as process:
        await ready(way(PROXIES[0]), process)
        yield [Way(name, way(name), process.pid) for name in PROXIES]


@asynccontextmanager
async def _portkey(
    session: aiohttp.ClientSession, upstream: str, script: str
) -> AsyncIterator[list[Way]]:
    port = free_port()
    command = ["node", script, f"--port={port}", "--headless"]
    body = orjson.dumps({"model": "m-1", "messages": SAID})
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    marks = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{upstream}/v1"}
    async with running(command, dict(os.environ)) as process:

        async def one() -> bytes:
            return await post(session, url, body, authorization="Bearer none", **marks)

        await ready(one, process)
        yield [Way("Portkey", one, process.pid)]


@asynccontextmanager
async def _tensorzero(
    session: aiohttp.ClientSession, upstream: str, python: str
) -> AsyncIterator[list[Way]]:
    process = await asyncio.create_subprocess_exec(
        python, str(SCRIPT), upstream, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=MOST_LINE
    )
    try:
        url = await _address(process)
        if url is None:
            print("left out: TensorZero (PEERS_PYTHON has no package `tensorzero`)")
            yield []
            return
        body = orjson.dumps({"model": "tensorzero::model_name::m", "messages": SAID})

        async def one() -> bytes:
            return await post(session, url, body)

        async def burst(count: int, width: int) -> list[float]:
            return await _ordered(process, count, width)

        await ready(one)
        yield [
            Way("TensorZero, over HTTP", one, process.pid),
            Way("TensorZero, in process, no hop", None, process.pid, burst),
        ]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str | None:
    """Return where it serves, or None when it could not start; its log comes on the same pipe."""
    told = await _answer(process)
    return None if told is None else f"{told['url'].rstrip('/')}/chat/completions"


async def _ordered(process: asyncio.subprocess.Process, count: int, width: int) -> list[float]:
    assert process.stdin is not None
    process.stdin.write(f"{count} {width}\n".encode())
    times = await _answer(process)
    if times is None:
        raise RuntimeError("TensorZero has ended")
    return [float(seconds) for seconds in times]


async def _answer(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    while line := await process.stdout.readline():
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
    return None


def _written(config: dict[str, Any]) -> str:
    path = Path(tempfile.mkdtemp()) / "config.yaml"
    path.write_bytes(orjson.dumps(config))
    return str(path)
