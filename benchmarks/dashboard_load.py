"""The dashboard under load: CPU and delay with tabs open, first paint, weight, a day of events."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import nats
import psutil

from benchmarks.table import quantile, show
from services.dashboard.store import Store
from shared import events as e
from shared.bus import encode
from tests.conftest import NatsServer, free_port
from tests.e2e.browser import CHROMIUM, chromium
from tests.e2e.system import ROOT

SHORT = "CI" in os.environ
SECONDS = 5 if SHORT else 10
RATE = 1000
DAY_EVENTS = 50_000 if SHORT else 864_000
"""Ten events a second for a day."""
WATCH = """window.delays = []; const seen = new Set();
  new MutationObserver(() => {
    for (const line of document.querySelectorAll(".row-item .cut"))
      for (const [mark, at] of line.textContent.matchAll(/mark-(\\d+)/g))
        if (!seen.has(mark)) { seen.add(mark); window.delays.push(Date.now() - Number(at)); }
  }).observe(document, {childList: true, subtree: true, characterData: true});"""
"""Notes when a mark is first seen; what is there already when a page opens counts for nothing."""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WEIGHT = """() => [performance.getEntriesByType('navigation')[0],
  ...performance.getEntriesByType('resource')].map(one => [one.name, one.encodedBodySize])"""


async def run() -> None:
    """Measure everything, each part with what it needs."""
    commands()
    a_day()
    if CHROMIUM:
        async with dashboard() as (url, server, process):
            await first_look(url)
            await loaded(url, server, process)
    else:
        print("\nno Chromium: nothing was measured in a browser")


@asynccontextmanager
async def dashboard():
    """A dashboard of its own on a bus of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = NatsServer(Path(folder))
        server.start()
        port = free_port()
        environment = {key: value for key, value in os.environ.items() if "SOVEREIGN" not in key}
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [sys.executable, "-m", "services.dashboard"], cwd=ROOT,
            env=environment | {"SOVEREIGN_NATS__URL": server.url, "SOVEREIGN_DATA_DIR": folder,
                               "SOVEREIGN_DASHBOARD__PORT": str(port)},
        )  # fmt: skip
        try:
            await _answers(port)
            yield f"http://127.0.0.1:{port}", server, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait()
            server.kill()


async def _answers(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        except OSError:
            await asyncio.sleep(0.05)


async def first_look(url: str) -> None:
    """Measure the first paint, cold and warm, and what a page weighs beyond NiceGUI's own."""
    async with chromium(url) as page:
        await page.goto("/dashboard")
        await page.wait_for_function("window.socket && window.socket.connected")
        await page.wait_for_function(PAINT)
        cold = await page.evaluate(PAINT)
        sizes = await page.evaluate(WEIGHT)
        await page.goto("/dashboard")
        await page.wait_for_function(PAINT)
        warm = await page.evaluate(PAINT)
    own = sum(size for name, size in sizes if "/_nicegui/" not in name or "live" in name)
    rows = [
        {"what": "first paint with content, cold cache (aim <= 1 s)", "value": f"{cold:.0f} ms"},
        {"what": "first paint with content, warm cache", "value": f"{warm:.0f} ms"},
        {"what": "page, style, script and fonts beyond NiceGUI's (aim <= 100 KB)",
         "value": f"{own / 1000:.0f} KB"},
    ]  # fmt: skip
    show("dashboard_first_look", "First look", rows)


async def loaded(url: str, server: NatsServer, process: psutil.Process) -> None:
    """Publish 1,000 messages a second; measure the dashboard's CPU and the delay to the DOM."""
    publisher = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        [sys.executable, "-m", "benchmarks.dashboard_load", server.url], cwd=ROOT
    )
    try:
        while await _heard(url) < 2 * RATE:  # noqa: ASYNC110 - it can only be asked
            await asyncio.sleep(0.2)
        wanted = (0, 1) if SHORT else (0, 1, 5, 20)
        rows = [await _with_tabs(url, process, tabs) for tabs in wanted]
    finally:
        publisher.terminate()
        publisher.wait()
    show("dashboard_load", f"{RATE} messages a second, overview open (aims: 5 tabs <= 15 %,"
         " 20 tabs <= 25 %, DOM p95 <= 1 s)", rows)  # fmt: skip


async def _with_tabs(url: str, process: psutil.Process, tabs: int) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        pages = []
        if tabs:
            first = await stack.enter_async_context(chromium(url))
            pages = [first, *[await first.context.new_page() for _ in range(tabs - 1)]]
        for page in pages:
            await page.add_init_script(WATCH)
            await page.goto("/dashboard")
        await asyncio.sleep(3)
        for page in pages:
            await page.evaluate("window.delays = []")
        heard, before, begin = await _heard(url), process.cpu_times(), time.monotonic()
        await asyncio.sleep(SECONDS)
        after, spent = process.cpu_times(), time.monotonic() - begin
        heard = await _heard(url) - heard
        delays = [delay for page in pages for delay in await page.evaluate("window.delays || []")]
    cpu = after.user + after.system - before.user - before.system
    return {
        "tabs": tabs,
        "messages_per_s": round(heard / spent),
        "cpu_share_of_a_core": f"{cpu / spent * 100:.1f} %",
        "dom_p50_ms": quantile(delays, 0.5) if delays else "-",
        "dom_p95_ms": quantile(delays, 0.95) if delays else "-",
        "rss_mb": round(process.memory_info().rss / 1e6),
    }


async def _heard(url: str) -> float:
    """Return how many messages the dashboard has heard so far, as it tells at its door."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        lines = (await client.get("/metrics")).text.splitlines()
    return float(
        next(one for one in lines if one.startswith("sovereign_messages_total")).split()[1]
    )


def a_day() -> None:
    """Fold a day's worth of events and tell how the memory grew."""
    process, store = psutil.Process(), Store()
    rows, begin = [], time.process_time()
    for number, event in enumerate(_day(DAY_EVENTS)):
        store.apply(event)
        if number % 10 == 0:
            store.sample(bus_up=True)
        if number + 1 in (DAY_EVENTS // 10, DAY_EVENTS // 2, DAY_EVENTS):
            rows.append({"events": number + 1, "rss_mb": round(process.memory_info().rss / 1e6)})
    cpu = time.process_time() - begin
    rows[-1]["us_per_event_made_and_folded"] = round(cpu / DAY_EVENTS * 1e6, 1)
    show("dashboard_day", "A day of events in the store: memory must not grow with them",
         [{"us_per_event_made_and_folded": "-"} | row for row in rows])  # fmt: skip


def _day(number: int):
    for at in range(number):
        yield _event(at)


def _event(at: int) -> Any:
    """Return the next of a mix: beats, cache, costs, live text, tasks that come and end."""
    kind = at % 5
    if kind == 0:
        service = ("router", "agents", "match", "ops", "sessions", "dashboard")[at // 5 % 6]
        return e.Beat(service=service, instance=f"{service}-1", host="here", boot="b", pid=1,
                      seq=at, state="ready", uptime_s=float(at))  # fmt: skip
    if kind == 1:
        return e.CacheEvent(kind="miss" if at % 2 else "hit", key=f"k{at}")
    if kind == 2:
        return e.CostEvent(request_id=f"r{at}", engine="ollama", model="m", is_llm=True,
                           cache="miss", prompt_tokens=9, seconds=0.2)  # fmt: skip
    if kind == 3:
        return e.LiveUpdate(task_id=f"t{at // 50}", step_id="s1", kind="text", text="word " * 10)
    if at % 50 == 4:
        from shared.clock import now

        return e.TaskView(task_id=f"t{at // 50}", title="A task", priority="normal",
                          state="done", created_at=now(), updated_at=now())  # fmt: skip
    return e.OpsEvent(event_id=f"o{at}", kind="check", outcome="ok")


def commands() -> None:
    """Measure how long the shortest commands take."""
    rows = []
    for name, arguments in (("--help", ("--help",)), ("task list", ("task", "list")),
                            ("status", ("status",))):  # fmt: skip
        walls, before = [], resource.getrusage(resource.RUSAGE_CHILDREN)
        for _ in range(5):
            begin = time.monotonic()
            subprocess.run([sys.executable, "-m", "cli", *arguments], cwd=ROOT, check=False,
                           capture_output=True)  # fmt: skip
            walls.append(time.monotonic() - begin)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        rows.append({"command": f"sovereign {name}", "cpu_s": round(cpu / 5, 2),
                     "wall_p50_s": round(quantile(walls, 0.5), 2)})  # fmt: skip
    show("commands", "Commands without a bus (aims: --help <= 0.5 s, status <= 1 s)", rows)


async def publish(url: str) -> None:
    """Publish the mix until ended, `RATE` a second, and a mark every half second."""
    client = await nats.connect(url)
    number, begin = 0, time.monotonic()
    while True:
        due = int((time.monotonic() - begin) * RATE)
        while number < due:
            body = _event(number)
            if not isinstance(body, e.TaskView):
                await client.publish(_subject(body), encode(body))
            number += 1
            if number % (RATE // 2) == 0:
                mark = e.OpsEvent(event_id=f"m{number}", kind="symptom",
                                  cause=f"mark-{int(time.time() * 1000)}")  # fmt: skip
                await client.publish("ops.event.symptom", encode(mark))
        await client.flush()
        await asyncio.sleep(0.01)


def _subject(body: Any) -> str:
    if isinstance(body, e.Beat):
        return f"health.beat.{body.service}.{body.instance}"
    if isinstance(body, e.CacheEvent):
        return f"cache.event.{body.kind}"
    if isinstance(body, e.LiveUpdate):
        return f"task.live.{body.task_id}"
    return "cost.event" if isinstance(body, e.CostEvent) else "ops.event.check"


if __name__ == "__main__":
    asyncio.run(publish(sys.argv[1]))
