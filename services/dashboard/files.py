"""Files in the object stores of the bus: attachments come in, artifacts go out, both in streams."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO

from nats.errors import Error as NatsError
from nats.js.api import ObjectInfo
from nats.js.errors import APIError, NotFoundError
from nats.js.errors import ObjectNotFoundError as MissingObject
from nats.js.object_store import ObjectStore

from shared.bus import Bus
from shared.errors import InvalidInput, NotFound, Unavailable
from shared.events import Attachment
from shared.events.tools import ARTIFACT_NAME
from shared.ids import ulid
from shared.streams import ARTIFACTS, ATTACHMENTS
from shared.subjects import token

LARGEST = 64 * 1024 * 1024
IN_MEMORY = 1024 * 1024
PIECE = 128 * 1024


@dataclass(frozen=True)
class Kept:
    """A file that was put into the store; `object` is what a task's attachment names."""

    name: str
    object: str
    size: int
    media_type: str

    def attachment(self) -> Attachment:
        """Return it as a task carries it."""
        return Attachment(name=self.name, object=self.object, media_type=self.media_type)


class Files:
    """Both object stores over one bus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def keep(self, name: str, media_type: str, pieces: AsyncIterator[bytes]) -> Kept:
        """Store a file as it comes in; `InvalidInput` for a bad name or an empty file."""
        where = f"{ulid()}/{name}"[:255]
        try:
            Attachment(name=name, object=where, media_type=media_type)
        except ValueError as error:
            raise InvalidInput(
                "name: 1 to 255 characters without / and \\", field="name"
            ) from error
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
            size = await _fill(file, pieces)
            file.seek(0)
            store = await self._store(ATTACHMENTS)
            try:
                await store.put(where, file)  # type: ignore[arg-type]
            except (NatsError, APIError, TimeoutError) as error:
                raise Unavailable(f"the file could not be kept: {error}") from error
        return Kept(name, where, size, media_type)

    async def artifact(self, task_id: str, name: str) -> tuple[ObjectInfo, IO[bytes]]:
        """Return a file that a task made, whole and checked against its digest."""
        where = f"{token(task_id, 'task_id')}.{checked(name)}"
        store = await self._store(ARTIFACTS)
        file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - handed over open
        try:
            info = await store.get_info(where)
            if (info.size or 0) > LARGEST:
                raise InvalidInput(f"{name} has more than {LARGEST} bytes", field="name")
            await store.get(where, writeinto=file)  # type: ignore[arg-type]
        except (MissingObject, NotFoundError) as error:
            file.close()
            raise NotFound(f"task {task_id} made no {name}", field="name") from error
        except (NatsError, APIError, TimeoutError) as error:
            file.close()
            raise Unavailable(f"{name} cannot be read now: {error}") from error
        file.seek(0)
        return info, file

    async def _store(self, name: str) -> ObjectStore:
        if not self._bus.nc.is_connected:
            raise Unavailable("the bus is lost; try again", retry_after_s=2)
        try:
            return await self._bus.js.object_store(name)
        except (NatsError, APIError, TimeoutError) as error:
            raise Unavailable(f"the object store {name} is not there") from error


def checked(name: str) -> str:
    """Return an artifact's name, or raise: no folder, no leading dot, plain characters."""
    if not re.fullmatch(ARTIFACT_NAME, name) or ".." in name:
        line = "an artifact has a name of letters, digits, `.`, `_` and `-`"
        raise InvalidInput(line, field="name")
    return name


async def pieces_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield the content of a file and close it."""
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece


async def _fill(file: IO[bytes], pieces: AsyncIterator[bytes]) -> int:
    """Write what comes and return its size."""
    size = 0
    async for piece in pieces:
        size += len(piece)
        await asyncio.to_thread(file.write, piece)
    if not size:
        raise InvalidInput("the file is empty", field="body")
    return size
