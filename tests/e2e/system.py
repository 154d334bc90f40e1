"""The whole system as real processes, on free ports, in a folder of its own."""

import asyncio
import io
import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
from aiohttp import ClientSession

from tests.conftest import free_port

ROOT = Path(__file__).parents[2]
SERVICES = ("router", "agents", "match", "ops", "sessions", "dashboard")


class System:
    """`sovereign up` with settings that touch nothing outside `folder`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.nats_port = free_port()
        self.door_port = free_port()
        self.ollama_port = free_port()
        self.model_port = free_port()
        self.banner: list[str] = []
        self.ready_s = 0.0
        self.process: asyncio.subprocess.Process | None = None
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "SOVEREIGN_DATA_DIR": str(folder / "data"),
            "SOVEREIGN_NATS__PORT": str(self.nats_port),
            "SOVEREIGN_DASHBOARD__PORT": str(self.door_port),
            "SOVEREIGN_ROUTER__OLLAMA_URL": f"http://127.0.0.1:{self.ollama_port}",
            "SOVEREIGN_ROUTER__REPROBE_S": "1",
            "SOVEREIGN_ROUTER__DOOR_PORT": str(self.model_port),
            "SOVEREIGN_HOST": "here",
        } | settings

    @property
    def door(self) -> str:
        return f"http://127.0.0.1:{self.door_port}"

    @property
    def nats_url(self) -> str:
        return f"nats://127.0.0.1:{self.nats_port}"

    async def start(self, within_s: float = 60.0) -> None:
        """Start everything; return when the four lines of the banner are there."""
        begin = time.monotonic()
        with (self.folder / "up.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "cli", "up", env=self.environment, cwd=self.folder,
                stdout=asyncio.subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self.process.stdout is not None
        async with asyncio.timeout(within_s):
            while len(self.banner) < 4:
                line = (await self.process.stdout.readline()).decode()
                assert line, (self.folder / "up.log").read_text()
                self.banner.append(line.rstrip())
        self.ready_s = time.monotonic() - begin

    async def stop(self, number: int = signal.SIGINT) -> int:
        """Press Ctrl-C and wait; return the exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), 40)

    async def kill_all(self) -> None:
        """Leave nothing behind, however a test ended."""
        for process in self.processes():
            process.kill()
        if self.process is not None:
            await self.process.communicate()

    def processes(self) -> list[psutil.Process]:
        """Return every process that works on this system's data folder."""
        wanted = self.environment["SOVEREIGN_DATA_DIR"]
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("SOVEREIGN_DATA_DIR") == wanted
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    def service(self, name: str) -> psutil.Process:
        """Return the process of one service, or of `nats-server`."""
        for process in self.processes():
            line = process.cmdline()
            if f"services.{name}" in line or (line and Path(line[0]).name == name):
                return process
        raise LookupError(name)

    async def cli(self, *arguments: str) -> tuple[int, str, str]:
        """Run `sovereign …` and return its exit code, standard output and standard error."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", *arguments, env=self.environment, cwd=self.folder,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, errors = await asyncio.wait_for(process.communicate(), 120)
        assert process.returncode is not None
        return process.returncode, out.decode(), errors.decode()

    async def get(self, path: str) -> tuple[int, object]:
        """Ask the HTTP door."""
        async with ClientSession() as http, http.get(self.door + path) as response:
            return response.status, json.loads(await response.text())

    async def post(self, path: str, body: object) -> tuple[int, object]:
        """Send JSON (or raw bytes) to the HTTP door."""
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        headers = {"content-type": "application/json"}
        url = self.door + path
        async with ClientSession() as http, http.post(url, data=data, headers=headers) as response:
            return response.status, json.loads(await response.text())
