"""Other ways to the same upstream: libraries in this process, gateways in their own.

`BENCH_PEERS` names a Python that has `litellm[proxy]`; `BENCH_PORTKEY` the `start-server.js` of the
npm package `@portkey-ai/gateway`. What is not there is left out with one line.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.conftest import free_port

SAID = [{"role": "user", "content": "hello there " * 20}]
One = Callable[[], Awaitable[object]]
PATIENCE_S = 240.0


@dataclass(frozen=True)
class Way:
    """One way to an answer; `pid` is the process between, if there is one."""

    name: str
    one: One
    pid: int | None = None


async def post(session: aiohttp.ClientSession, url: str, body: bytes, **headers: str) -> bytes:
    given = {"content-type": "application/json"} | headers
    async with session.post(url, data=body, headers=given) as response:
        data = await response.read()
        if response.status != 200:
            raise RuntimeError(f"{url}: {response.status} {data[:200]!r}")
        return data


@asynccontextmanager
async def peers(session: aiohttp.ClientSession, upstream: str) -> AsyncIterator[list[Way]]:
    """Yield every peer that is installed."""
    async with AsyncExitStack() as stack:
        found = [_ollama(upstream), *await _litellm(upstream)]
        proxy, portkey = os.environ.get("BENCH_PEERS"), os.environ.get("BENCH_PORTKEY")
        if proxy:
            found.append(await stack.enter_async_context(_proxy(session, upstream, proxy)))
        else:
            print("left out: the LiteLLM proxy (BENCH_PEERS is not set)")
        if portkey:
            found.append(await stack.enter_async_context(_portkey(session, upstream, portkey)))
        else:
            print("left out: Portkey (BENCH_PORTKEY is not set)")
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
async def _proxy(session: aiohttp.ClientSession, upstream: str, python: str) -> AsyncIterator[Way]:
    port, bin_ = free_port(), Path(python).parent
    given = {"model": "openai/m-1", "api_base": f"{upstream}/v1", "api_key": "none"}
    named = [{"model_name": "m", "litellm_params": given}]
    config = _written({"model_list": named})
    command = [str(bin_ / "litellm"), "--config", config, "--port", str(port)]
    environment = dict(os.environ, LITELLM_MASTER_KEY="sk-1", LITELLM_LOCAL_MODEL_COST_MAP="True")
    body = orjson.dumps({"model": "m", "messages": SAID})
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    async with _running(command, environment) as process:

        async def one() -> bytes:
            return await post(session, url, body, authorization="Bearer sk-1")

        await _ready(one)
        yield Way("LiteLLM proxy", one, process.pid)


@asynccontextmanager
async def _portkey(
    session: aiohttp.ClientSession, upstream: str, script: str
) -> AsyncIterator[Way]:
    port = free_port()
    command = ["node", script, f"--port={port}", "--headless"]
    body = orjson.dumps({"model": "m-1", "messages": SAID})
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    marks = {"x-portkey-provider": "openai", "x-portkey-custom-host": f"{upstream}/v1"}
    async with _running(command, dict(os.environ)) as process:

        async def one() -> bytes:
            return await post(session, url, body, authorization="Bearer none", **marks)

        await _ready(one)
        yield Way("Portkey", one, process.pid)


@asynccontextmanager
async def _running(
    command: list[str], environment: dict[str, str]
) -> AsyncIterator[subprocess.Popen[bytes]]:
    silent = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: ASYNC220 - nothing else waits for the loop now
        command, env=environment, stdout=silent, stderr=silent
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _written(config: dict[str, Any]) -> str:
    path = Path(tempfile.mkdtemp()) / "config.yaml"
    path.write_bytes(orjson.dumps(config))
    return str(path)


async def _ready(one: One) -> None:
    """Return when the first answer comes."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await one()
            except (aiohttp.ClientError, RuntimeError, OSError):
                await asyncio.sleep(0.3)
            else:
                return
