"""Files that the crew made for a task: which there are, and one of them."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from nats.js.errors import NotFoundError, ObjectDeletedError, ObjectNotFoundError

from cli.connection import run
from cli.errors import FAILED
from cli.output import emit_json, say, table
from cli.views import result_of
from shared.bus import Bus
from shared.errors import InvalidInput, NotFound
from shared.events.tasks import TaskResult
from shared.events.tools import Artifact
from shared.settings import Settings
from shared.streams import ARTIFACTS

GONE = (NotFoundError, ObjectNotFoundError, ObjectDeletedError)


def show(task_id: str, as_json: bool) -> None:
    """Print the files of a task that has ended; raise `NotFound` for an unknown task."""

    async def work(bus: Bus, _: Settings) -> TaskResult:
        return await _result(bus, task_id)

    made = run(work).artifacts
    if as_json:
        emit_json(list(made))
    elif made:
        rows = ((each.name, str(each.size), each.media_type, each.step_id) for each in made)
        table(("name", "bytes", "type", "step"), rows)
    else:
        say("this task made no file")


def get(task_id: str, name: str, out: Path | None) -> None:
    """Write one file to stdout, or into `out`, which must not be there yet."""
    if out is not None and out.exists():
        raise InvalidInput(f"--out: {out} is there already", field="--out")

    async def work(bus: Bus, _: Settings) -> bytes:
        return await _content(bus, _named(await _result(bus, task_id), name))

    data = run(work)
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        say(f"--out: {out}: {error.strerror}")
        raise typer.Exit(FAILED) from None
    say(f"{out}: {len(data)} bytes")


async def _result(bus: Bus, task_id: str) -> TaskResult:
    result = await result_of(bus, task_id)
    if result is None:
        raise NotFound(f"no result of a task {task_id}: see `sovereign task show {task_id}`")
    return result


def _named(result: TaskResult, name: str) -> Artifact:
    found = next((each for each in result.artifacts if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in result.artifacts) or "none"
        raise NotFound(f"no file {name!r} of this task; there are: {known}", field="NAME")
    return found


async def _content(bus: Bus, artifact: Artifact) -> bytes:
    """Return the bytes; the store checks them against its digest."""
    try:
        store = await bus.js.object_store(ARTIFACTS)
        return bytes((await store.get(artifact.object)).data or b"")
    except GONE:
        raise NotFound(f"the file {artifact.name} is gone from {ARTIFACTS}") from None
