"""`write_artifact`: a file for people, kept in the object store under the task's id."""

from __future__ import annotations

import re
from typing import Any

from nats.js.errors import NotFoundError, ObjectNotFoundError

from services.agents.attachments import read_object
from services.agents.tools.tool import (
    Bench,
    Found,
    Tool,
    ToolFailed,
    ToolRefused,
    arguments,
    mentions,
)
from shared.bus import Bus
from shared.events.tools import ARTIFACT_NAME, Artifact
from shared.streams import ARTIFACTS

MOST_CHARS = 200_000
KINDS = {
    "md": "text/markdown", "json": "application/json", "csv": "text/csv", "html": "text/html",
    "yaml": "application/yaml", "yml": "application/yaml", "py": "text/x-python",
}  # fmt: skip


def object_name(task_id: str, name: str) -> str:
    """Return where an artifact is kept; task ids have no dots, so this is one name for each."""
    return f"{task_id}.{name}"


async def write(bench: Bench, given: dict[str, Any]) -> Found:
    """Store the file; the same name again takes the place of what was there."""
    name, content = given["name"], given["content"].encode()
    if not re.fullmatch(ARTIFACT_NAME, name):  # a schema's `$` lets a last line break through
        raise ToolRefused("name: letters, digits, dots and dashes only", field="name")
    task_id = str(bench.task.task_id)
    store = await bench.bus.js.object_store(ARTIFACTS)
    info = await store.put(object_name(task_id, name), content)
    artifact = Artifact(
        name=name,
        object=object_name(task_id, name),
        size=len(content),
        media_type=KINDS.get(name.rpartition(".")[2].lower(), "text/plain"),
        digest=info.digest or "",
        step_id=bench.step.id,
    )
    return Found(f"written: {name}, {len(content)} bytes", artifact)


async def content_of(bus: Bus, task_id: str, name: str) -> str:
    """Return an artifact's text; raise `ToolFailed` where there is none."""
    store = await bus.js.object_store(ARTIFACTS)
    try:
        data = await read_object(bus, store, ARTIFACTS, object_name(task_id, name))
    except (NotFoundError, ObjectNotFoundError):
        raise ToolFailed(f"no artifact {name!r} in this task", field="artifact") from None
    return data.decode(errors="replace")


NAME = {"type": "string", "pattern": ARTIFACT_NAME, "description": "file name, without folders"}

WRITE_ARTIFACT = Tool(
    name="write_artifact",
    description="Save a text as a file for the person who asked.",
    parameters=arguments(
        ["name", "content"],
        name=NAME,
        content={"type": "string", "minLength": 1, "maxLength": MOST_CHARS},
    ),
    effect="idempotent",
    run=write,
    fits=mentions("file", "artifact", "save", "datei", "speicher", ".md", ".json", ".csv", ".py"),
)
