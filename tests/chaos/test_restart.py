"""Kill and pause real services under a real supervisor and ops; measure how soon they are back."""

import asyncio
import os
import signal
import statistics
import sys
from datetime import datetime

import pytest

from shared.clock import now
from shared.events import OpsEvent, OpsStatus
from shared.events.reports import Empty
from tests.ops.conftest import Running, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

KILLS = 8
PAUSES = 3
SLACK = 3.0
"""A shared machine may be this much slower than the figures that hold on a quiet one."""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    lonely = {"SOVEREIGN_OPS__WINDOW_S": "2"}  # each kill is the first in its window
    running = Running(tmp_path_factory.mktemp("chaos"), **lonely)
    running.start("match", "sessions", "ops")
    running.banner()
    yield running
    running.destroy()


class Ear:
    """Hears the record as it is written."""

    def __init__(self, bus) -> None:
        self._bus = bus
        self._heard: asyncio.Queue[OpsEvent] = asyncio.Queue()

    async def open(self) -> "Ear":
        async def take(message):
            self._heard.put_nowait(OpsEvent.model_validate_json(message.data))

        await self._bus.nc.subscribe("ops.event.*", cb=take)
        await self._bus.nc.flush()
        return self

    async def next(self, kind: str, service: str, since: datetime) -> float:
        """Return the seconds from `since` to the next entry of this kind and service."""
        while True:
            event = await self._heard.get()
            if (event.kind, event.service) == (kind, service) and event.at >= since:
                return (event.at - since).total_seconds()


async def pid_of(bus, service: str) -> int:
    while True:
        status = await bus.request("ops.status", Empty(), OpsStatus)
        found = {i.service: i for i in status.instances}
        child = found["supervisor"].info["children"][service] if "supervisor" in found else {}
        calm = service in found and found[service].symptom is None and found[service].uptime_s > 3
        if child.get("state") == "ready" and calm:
            return child["pid"]
        await asyncio.sleep(0.2)


def show(capsys, rows: dict[str, list[float]]) -> None:
    lines = [f"\n{'figure':<34} {'n':>3} {'p50 s':>8} {'max s':>8}"]
    for name, values in rows.items():
        middle, most = statistics.median(values), max(values)
        lines.append(f"{name:<34} {len(values):>3} {middle:>8.3f} {most:>8.3f}")
    with capsys.disabled():
        sys.stdout.write("\n".join(lines) + "\n")


async def test_a_killed_service_is_ordered_anew_at_once_and_back_soon(host, capsys):
    ordered, back = [], []
    async with host.bus() as bus:
        ear = await Ear(bus).open()
        for _ in range(KILLS):
            pid, at = await pid_of(bus, "match"), now()
            os.kill(pid, signal.SIGKILL)
            ordered.append(await ear.next("restarted", "match", at))
            back.append(await ear.next("ready", "match", at))
    show(capsys, {"kill -9 -> restart ordered": ordered, "kill -9 -> back in service": back})
    assert statistics.median(ordered) <= 0.1 * SLACK
    assert statistics.median(back) <= 4.0 * SLACK


async def test_a_paused_service_is_found_out_and_replaced(host, capsys):
    found, back = [], []
    async with host.bus() as bus:
        ear = await Ear(bus).open()
        for _ in range(PAUSES):
            pid, at = await pid_of(bus, "match"), now()
            os.kill(pid, signal.SIGSTOP)
            found.append(await ear.next("symptom", "match", at))
            back.append(await ear.next("recovered", "match", at))
    show(capsys, {"SIGSTOP -> hang detected": found, "SIGSTOP -> back in service": back})
    assert max(found) <= 6.0 * SLACK


async def test_an_ops_that_hangs_itself_is_replaced_by_the_supervisor(host, capsys):
    async with host.bus() as bus:
        ear, at = await Ear(bus).open(), now()
        os.kill(await pid_of(bus, "ops"), signal.SIGSTOP)
        found = [await ear.next("symptom", "ops", at)]
        back = [await ear.next("ready", "ops", at)]
        event = await until(bus, "symptom", "ops")
    show(capsys, {"SIGSTOP ops -> detected": found, "SIGSTOP ops -> back in service": back})
    assert event.by == "supervisor"
