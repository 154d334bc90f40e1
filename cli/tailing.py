"""Listening to the bus and printing what passes, as text that cannot steer a terminal."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from typing import Any

import orjson
from nats.aio.msg import Msg

from cli.connection import run
from cli.output import cut, emit_json_line, say, tell
from shared.bus import Bus
from shared.clock import now
from shared.errors import InvalidInput
from shared.settings import Settings

SUBJECT = re.compile(r"^[^\s.>*]+(\.[^\s.>*]+|\.\*)*(\.>)?$|^>$|^\*(\.\*)*(\.>)?$")


def tail(subjects: list[str], count: int | None, *, full: bool, as_json: bool) -> None:
    """Print each message until `count` were printed or the person leaves."""
    for subject in subjects:
        if not SUBJECT.fullmatch(subject):
            line = f"SUBJECT: {subject!r} is not a subject like 'task.>'"
            raise InvalidInput(line, field="SUBJECT")

    async def work(bus: Bus, _: Settings) -> None:
        heard: asyncio.Queue[Msg] = asyncio.Queue()
        for subject in subjects:
            await bus.nc.subscribe(subject, cb=heard.put)
        await bus.nc.flush()
        say(f"listening to {', '.join(subjects)}")
        left = count
        while left is None or left > 0:
            _print(await heard.get(), full=full, as_json=as_json)
            left = None if left is None else left - 1

    run(work)


def _print(message: Msg, *, full: bool, as_json: bool) -> None:
    at = now()
    if as_json:
        told = {"headers": dict(message.headers or {}), "body": _body(message.data)}
        emit_json_line({"at": at.isoformat(), "subject": message.subject, **told})
        return
    line = f"{at.astimezone():%H:%M:%S.%f}"[:12] + f"  {message.subject}  {_text(message.data)}"
    tell(line if full else cut(line, _width()))
    sys.stdout.flush()


def _body(data: bytes) -> Any:
    """Return the JSON value, or the bytes as text when they are no JSON."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return data.decode(errors="replace")


def _text(data: bytes) -> str:
    """Return the body in one line: JSON without what is empty, other bytes as text."""
    body = _body(data)
    if not isinstance(body, dict):
        return str(body)
    told = {key: value for key, value in body.items() if value not in (None, "", [], {})}
    return orjson.dumps(told).decode()


def _width() -> int:
    return shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else 400
