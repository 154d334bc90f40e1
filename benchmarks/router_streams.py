"""Streams of 64 chunks, direct and through the router: the first chunk, and all of them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from benchmarks.measuring import Burst, Way
from benchmarks.router_place import FLOOR, MARKS, Place, asked

Ends = tuple[float, float]
"""Seconds to the first chunk and to the last."""


def firsts(place: Place) -> list[Way]:
    """Return the ways of a stream, timed to the first chunk."""
    return _ways(place, 0)


def wholes(place: Place) -> list[Way]:
    """Return the ways of a stream, timed to the last chunk."""
    return _ways(place, 1)


def _ways(place: Place, which: int) -> list[Way]:
    direct = (f"{place.upstream}/api/chat", asked(stream=True, model="m-64"))
    door = (place.door, asked(stream=True, model="m-64", temperature=1))
    body, pid = asked(stream=True, model="m-64", options={"temperature": 1}), place.router.pid
    return [
        Way(FLOOR, burst=_each(lambda: over_http(place, *direct), which)),
        Way("router, bus", burst=_each(lambda: over_bus(place, body), which), pid=pid),
        Way("router, door", burst=_each(lambda: over_http(place, *door), which), pid=pid),
    ]


def _each(one: Callable[[], Awaitable[Ends]], which: int) -> Burst:
    async def burst(count: int, _: int) -> list[float]:
        return [(await one())[which] for _ in range(count)]

    return burst


async def over_http(place: Place, url: str, body: bytes) -> Ends:
    begin, first = time.perf_counter(), 0.0
    headers = {"content-type": "application/json", **MARKS}
    async with place.session.post(url, data=body, headers=headers) as response:
        async for _ in response.content.iter_any():
            first = first or time.perf_counter() - begin
    return first, time.perf_counter() - begin


async def over_bus(place: Place, body: bytes) -> Ends:
    inbox = place.client.new_inbox()
    told = await place.client.subscribe(inbox)
    begin, first = time.perf_counter(), 0.0
    await place.client.publish("model.chat", body, reply=inbox)
    while True:
        message = await told.next_msg(30)
        first = first or time.perf_counter() - begin
        if b'"type":"final"' in message.data:
            break
        if b'"delta"' not in message.data:
            raise RuntimeError(message.data[:200])
    whole = time.perf_counter() - begin
    await told.unsubscribe()
    return first, whole
