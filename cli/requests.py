"""From the words of the command line to a task on the bus."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nats.js.api import PubAck
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from cli.attachments import File, attach, read, text_of
from cli.output import say
from shared import bootstrap
from shared.bus import Bus, encode, invalid
from shared.clock import now
from shared.errors import InvalidInput, TimedOut
from shared.events.tasks import Budget, TaskRequest
from shared.ids import ulid
from shared.settings import Settings
from shared.streams import TASKS
from shared.subjects import task_request

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def build(fields: dict[str, Any]) -> TaskRequest:
    """Return the task, its id made if none was given; raise `InvalidInput` naming the field."""
    given = {name: value for name, value in fields.items() if value is not None}
    given["task_id"] = given.get("task_id") or ulid()
    try:
        return TaskRequest.model_validate(given)
    except ValidationError as error:
        raise invalid(error) from None


def instant(text: str | None, field: str) -> datetime | None:
    """Return the instant that `text` means: `90s`, `30m`, `2h`, `1d` from now, or ISO 8601.

    Without a zone, an ISO instant is in local time. No text is no instant.
    """
    if text is None:
        return None
    seconds = seconds_of(text)
    if seconds is not None:
        return now() + timedelta(seconds=seconds)
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        line = f"{field}: {text!r} is neither a span like 30m nor an instant like 2026-01-31T18:00"
        raise InvalidInput(line, field=field) from None


def seconds_of(text: str) -> float | None:
    """Return the seconds of a span like `90s`, `30m`, `2h`, `1d`; None for any other text."""
    span = _SPAN.fullmatch(text.strip())
    return float(span[1]) * _SECONDS[span[2]] if span else None


def check_not(given: bool, option: str, what: str) -> None:
    """Raise `InvalidInput` when an option was given that makes no sense with `what`."""
    if given:
        raise InvalidInput(f"{option} does not go with {what}", field=option)


def budget(limits: list[str] | None) -> dict[str, str] | None:
    """Return the budget of `tokens=2000`, `usd=0.5`, `seconds=60`, `steps=4`; none for none."""
    found: dict[str, str] = {}
    for limit in limits or ():
        name, mark, amount = limit.partition("=")
        if not mark or name not in Budget.model_fields:
            line = f"--budget: {limit!r} is none of {', '.join(Budget.model_fields)} with =amount"
            raise InvalidInput(line, field="--budget")
        found[name] = amount
    return found or None


def read_all(paths: list[Path] | None) -> list[File]:
    """Return the files of the command line, each read once; tell of those that are not text."""
    files = [read(path) for path in paths or ()]
    for file in files:
        if text_of(file.data) is None:
            say(f"{file.name} is not text in UTF-8: agents may see no more of it than its size")
    return files


async def send(bus: Bus, settings: Settings, task: TaskRequest, files: list[File]) -> PubAck:
    """Store the task on the bus and return the ack; the same id twice is one task.

    Streams that are missing are declared after a first try, since a guest may not look at them.
    """
    attachments = await attach(bus, str(task.task_id), files, len(encode(task)))
    whole = task.model_copy(update={"attachments": attachments})
    subject, msg_id = task_request(task.priority or "normal"), str(task.task_id)
    try:
        return await bus.publish(subject, whole, msg_id, within_s=0)
    except TimedOut:
        await declare(bus, settings)
        return await bus.publish(subject, whole, msg_id)


async def declare(bus: Bus, settings: Settings) -> None:
    """Declare the streams on a server that no service has seen yet, so that tasks are kept."""
    try:
        await bus.js.stream_info(TASKS.name)
    except NotFoundError:
        await bootstrap.ensure(bus, settings.nats.replicas)
