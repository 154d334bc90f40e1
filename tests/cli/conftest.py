"""The command line in this process, and as a real one, against a real nats-server."""

import asyncio
import os
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass

import orjson
import pytest
from typer.testing import CliRunner

from cli.main import app
from shared.bus import encode

UNSET = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "OLLAMA_HOST")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """No setting of whoever runs the tests, and no terminal size."""
    for name in list(os.environ):
        if name.startswith("SOVEREIGN_") or name in UNSET:
            monkeypatch.delenv(name)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command that needs no bus; gives its result with exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments, stdin=None):
        return CliRunner().invoke(app, list(arguments), input=stdin)

    return invoke


@pytest.fixture
def threaded():
    """Run a command in a thread, so that the test's own loop can answer it.

    The thread is a daemon: a command that waits for ever fails its test and not the whole run.
    """

    async def invoke(*arguments, stdin=None):
        loop = asyncio.get_running_loop()
        ended = loop.create_future()

        def run() -> None:
            result = CliRunner().invoke(app, list(arguments), stdin)
            with suppress(RuntimeError):  # the test may have given up, and its loop be closed
                loop.call_soon_threadsafe(lambda: ended.done() or ended.set_result(result))

        threading.Thread(target=run, daemon=True).start()
        return await asyncio.wait_for(ended, 50)

    return invoke


@pytest.fixture
def cli(settings, monkeypatch, threaded):
    """Run a command against the server of `settings`."""
    monkeypatch.setenv("SOVEREIGN_NATS__URL", settings.nats_url)
    monkeypatch.setenv("SOVEREIGN_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("SOVEREIGN_HOST", "here")
    monkeypatch.setenv("SOVEREIGN_OPS__BEAT_S", "0.2")
    return threaded


@dataclass
class Ended:
    """How a real process ended."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture
def process(tmp_path):
    """Start `python -m cli` as a real process; gives the process, or with `ended` its end."""

    async def start(*arguments, **environment):
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", *arguments, env=os.environ | environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=tmp_path,
        )  # fmt: skip

    return start


async def ended(started) -> Ended:
    out, err = await started.communicate()
    return Ended(started.returncode, out.decode(), err.decode())


async def answer(bus, subject, *replies):
    """Answer each request on `subject` with `replies` in a row; return the list of requests."""
    asked = []

    async def heard(message):
        asked.append(orjson.loads(message.data))
        for reply in replies:
            body = reply if isinstance(reply, bytes) else encode(reply)
            await bus.nc.publish(message.reply, body)

    await bus.nc.subscribe(subject, cb=heard)
    await bus.nc.flush()
    return asked
