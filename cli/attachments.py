"""Files that travel with a task: inside it while they fit, through the object store otherwise."""

from __future__ import annotations

import mimetypes
import sys
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from nats.js.errors import NotFoundError
from pydantic import ValidationError

from shared.bus import Bus, invalid
from shared.errors import InvalidInput, Unavailable
from shared.events.tasks import INLINE_LIMIT, Attachment
from shared.streams import ATTACHMENTS

HEADERS_ROOM = 16 * 1024
"""Bytes of a message that are left for its headers and the fields that the server adds."""


@dataclass(frozen=True)
class File:
    """A file as it was read."""

    name: str
    data: bytes
    media_type: str


def read(path: Path) -> File:
    """Return the file at `path`, or what stands on stdin for `-`."""
    if str(path) == "-":
        return _file("stdin.txt", sys.stdin.buffer.read(), "stdin")
    if not path.is_file():
        raise InvalidInput(f"--file: {path} is not a readable file", field="--file")
    return _file(path.name, path.read_bytes(), str(path))


def _file(name: str, data: bytes, source: str) -> File:
    if not data.strip():
        raise InvalidInput(f"--file: {source} is empty", field="--file")
    kind, _ = mimetypes.guess_type(name)
    fallback = "application/octet-stream" if text_of(data) is None else "text/plain"
    return File(name, data, kind or fallback)


def text_of(data: bytes) -> str | None:
    """Return UTF-8 text, or None for anything else; a NUL byte is never text."""
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def inline(file: File) -> Attachment:
    """Return the file as text if it is UTF-8, else in base64."""
    text = text_of(file.data)
    encoded = None if text is not None else b64encode(file.data).decode()
    return attachment(file, text=text, base64=encoded)


def attachment(file: File, **source: str | None) -> Attachment:
    """Return the attachment of `file` with its one source: text, base64 or object."""
    try:
        return Attachment(name=file.name, media_type=file.media_type, **source)
    except ValidationError as error:
        raise invalid(error) from None


def too_large(files: list[File], room: int) -> list[File]:
    """Return the files that cannot travel inside a message with `room` bytes for attachments.

    Those over the limit of one attachment, then the largest ones until the rest fits.
    """
    outside = [file for file in files if len(file.data) > INLINE_LIMIT]
    sizes = {
        index: len(inline(file).model_dump_json())
        for index, file in enumerate(files)
        if file not in outside
    }
    for index in sorted(sizes, key=lambda index: -sizes[index]):
        if sum(sizes.values()) <= room:
            break
        outside.append(files[index])
        del sizes[index]
    return outside


async def attach(bus: Bus, task_id: str, files: list[File], used: int) -> tuple[Attachment, ...]:
    """Return the attachments; large files are uploaded first. `used`: bytes of the bare task."""
    outside = too_large(files, bus.nc.max_payload - HEADERS_ROOM - used)
    return tuple(
        [await upload(bus, task_id, file) if file in outside else inline(file) for file in files]
    )


async def upload(bus: Bus, task_id: str, file: File) -> Attachment:
    """Put the file into the object store, under the task's id."""
    name = f"{task_id}/{file.name}"[:255]
    try:
        store = await bus.js.object_store(ATTACHMENTS)
    except NotFoundError as error:
        raise Unavailable(
            f"the object store {ATTACHMENTS} is missing: run `sovereign up`"
        ) from error
    await store.put(name, file.data)
    return attachment(file, object=name)
