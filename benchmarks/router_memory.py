"""What the router holds after many calls of all kinds: misses, hits, streams, errors, vectors.

`python -m benchmarks router_memory`; `BENCH_CALLS` is how many (100,000; 2,000 with `CI=1`).
A part of `router_speed` too. Growth is told between the half and the end, when the caches hold all
that is asked for (3,000 answers, of which 1,000 are kept, and 3,000 vectors of 64 numbers; a
cache of vectors that is full holds 32 MB): from there on only what is new for ever grows it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.aims import Aim
from benchmarks.measuring import cpu_s
from benchmarks.router_place import MARKS, SAID, Place, asked, placed
from benchmarks.table import show

SHORT = "CI" in os.environ
MANY = int(os.environ.get("BENCH_CALLS", "2000" if SHORT else "100000"))
SHARES = (0.05, 0.25, 0.5, 0.75, 1.0)
WIDTH = 16
PROMPTS = 3000
"""More than the cache holds, so that answers are put out of it as well."""
MOST_MB, MOST_GROWTH = 80.0, 0.02


async def run() -> None:
    """Measure it alone."""
    with tempfile.TemporaryDirectory() as folder:
        async with placed(Path(folder)) as place:
            fresh = place.router.memory_info().rss / 1e6
            for aim in await grown(place, fresh):
                print(f"  {aim.what}: {aim.measured:.4g} {aim.unit} ({aim.verdict})")


async def grown(place: Place, fresh_mb: float) -> list[Aim]:
    """Make all calls, print what the router held on the way, and return the aims."""
    mixed, pid = Mixed(place), place.router.pid
    rows: list[dict[str, Any]] = [{"calls": 0, "rss_mb": fresh_mb, "req_s": "", "cpu_us": ""}]
    for share in SHARES:
        more = int(MANY * share) - rows[-1]["calls"]
        begin, before = time.perf_counter(), cpu_s(pid)
        await mixed.go(more)
        rate, cpu = more / (time.perf_counter() - begin), 1e6 * (cpu_s(pid) - before) / more
        held = place.router.memory_info().rss / 1e6
        rows.append({"calls": int(MANY * share), "rss_mb": held, "req_s": rate, "cpu_us": cpu})
    show("router_memory", "Memory of the router under mixed calls (0: at the start)", rows)
    print(f"  calls by kind: {dict(sorted(mixed.done.items()))}")
    return _aims(rows, mixed)


def _aims(rows: list[dict[str, Any]], mixed: Mixed) -> list[Aim]:
    held = {row["calls"]: row["rss_mb"] for row in rows}
    half, end = held[int(MANY * 0.5)], held[MANY]
    said = f"{MANY:,} mixed calls"
    return [
        Aim(f"memory after {said}", end, MOST_MB, "MB"),
        Aim(f"growth in the second half of {said}", 100 * (end / half - 1), 100 * MOST_GROWTH, "%"),
        Aim(f"wrong outcomes of {said}", sum(mixed.wrong.values()), 0),
    ]


@dataclass
class Mixed:
    """Calls of every kind in turn; what came out otherwise than it should is counted."""

    place: Place
    done: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def go(self, count: int) -> None:
        left = iter(range(count))
        await asyncio.gather(*(self._some(left) for _ in range(WIDTH)))

    async def _some(self, left: Iterator[int]) -> None:
        kinds = self.kinds()
        for _ in left:
            number = next(self.numbers)
            name, one = kinds[number % len(kinds)]
            self.done[name] += 1
            try:
                good = await one(number)
            except (OSError, RuntimeError, TimeoutError) as error:
                good, name = False, f"{name}: {type(error).__name__}"
            if not good:
                self.wrong[name] += 1

    def kinds(self) -> list[tuple[str, Callable[[int], Coroutine[Any, Any, bool]]]]:
        return [
            ("miss, bus", lambda n: self._bus(asked(options={"temperature": 1}))),
            ("miss, door", lambda n: self._door(asked(temperature=1))),
            ("kept, bus", lambda n: self._bus(_kept(n))),
            ("same again, bus", lambda n: self._bus(_kept(0))),
            ("same again, door", lambda n: self._door(asked(temperature=0))),
            ("of a task, bus", lambda n: self._bus(_of_task(n))),
            ("stream, bus", lambda n: self._stream()),
            ("stream, door", lambda n: self._door(asked(model="m-8", stream=True, temperature=1))),
            ("left in a stream, door", lambda n: self._leave()),
            ("no message, bus", lambda n: self._refused(b'{"messages": []}', b"invalid_input")),
            ("no such model, bus", lambda n: self._refused(_absent(n), b'"model_missing"')),
            ("no message, door", lambda n: self._door(b'{"model": "m-1"}', 400)),
            ("no key, door", lambda n: self._door(asked(), 401, authorization="Bearer no")),
            ("vector, bus", lambda n: self._vector(n)),
            ("vector, door", lambda n: self._embedding(n)),
        ]

    async def _bus(self, body: bytes) -> bool:
        answer = await self.place.client.request("model.chat", body, timeout=30)
        return b'"type":"final"' in answer.data

    async def _refused(self, body: bytes, code: bytes) -> bool:
        answer = await self.place.client.request("model.chat", body, timeout=30)
        return "Nats-Service-Error-Code" in (answer.headers or {}) and code in answer.data

    async def _vector(self, number: int) -> bool:
        body = orjson.dumps({"model": "m-1", "input": [f"text {number % PROMPTS}", "always"]})
        answer = await self.place.client.request("model.embed", body, timeout=30)
        return b'"embeddings"' in answer.data

    async def _embedding(self, number: int) -> bool:
        body = orjson.dumps({"model": "m-1", "input": f"text {number % PROMPTS}"})
        url = self.place.door.replace("chat/completions", "embeddings")
        async with _posted(self.place, url, body) as response:
            return response.status == 200 and b'"embedding"' in await response.read()

    async def _stream(self) -> bool:
        inbox = self.place.client.new_inbox()
        told = await self.place.client.subscribe(inbox)
        body = asked(model="m-8", stream=True, options={"temperature": 1})
        await self.place.client.publish("model.chat", body, reply=inbox)
        try:
            while True:
                message = await told.next_msg(30)
                if b'"type":"final"' in message.data:
                    return True
                if b'"delta"' not in message.data:
                    return False
        finally:
            await told.unsubscribe()

    async def _door(self, body: bytes, status: int = 200, **marks: str) -> bool:
        async with _posted(self.place, self.place.door, body, **marks) as response:
            data = await response.read()
            streamed = b"text/event-stream" in response.headers["content-type"].encode()
            return response.status == status and (not streamed or b"[DONE]" in data)

    async def _leave(self) -> bool:
        """Hang up when the first piece is there; the router has most likely written them all."""
        body = asked(model="m-64", stream=True, temperature=1)
        async with _posted(self.place, self.place.door, body) as response:
            await response.content.readany()
            response.close()
            return bool(response.status == 200)


@asynccontextmanager
async def _posted(place: Place, url: str, body: bytes, **marks: str) -> AsyncIterator[Any]:
    headers = {"content-type": "application/json", **MARKS, **marks}
    async with place.session.post(url, data=body, headers=headers) as response:
        yield response


def _kept(number: int) -> bytes:
    said = [{"role": "user", "content": f"question {number % PROMPTS}"}]
    return orjson.dumps({"model": "m-1", "messages": said, "options": {"temperature": 0}})


def _of_task(number: int) -> bytes:
    task = f"task-{number // 150}"
    fields = {"task_id": task, "step_id": "one", "agent": "builder", "budget_tokens": 10_000_000}
    return asked(options={"temperature": 1}, **fields)


def _absent(number: int) -> bytes:
    return orjson.dumps({"model": f"absent-{number}", "messages": SAID, "allow_offline": False})
