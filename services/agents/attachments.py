"""Files that come with a task: large ones live in the object store, named by their content."""

from __future__ import annotations

import base64
import hashlib

from nats.js.errors import NotFoundError, ObjectNotFoundError
from nats.js.object_store import ObjectStore

from services.agents.prompts import Document, read_document
from shared.bus import Bus
from shared.errors import InvalidInput, NotFound
from shared.events.tasks import Attachment, TaskRequest
from shared.reading import read_subject
from shared.streams import ATTACHMENTS

SMALL = 4096
"""Bytes up to which a file stays in the journal: three writes saved, and no harm to its size."""
LARGEST = 64 * 1024 * 1024
"""Bytes of an attachment that a step may read into memory."""


class Attachments:
    """Puts inline files away and reads them again."""

    def __init__(self, bus: Bus, store: ObjectStore) -> None:
        self._bus = bus
        self._store = store

    @classmethod
    async def open(cls, bus: Bus) -> Attachments:
        """Return the attachments on an object store that exists."""
        return cls(bus, await bus.js.object_store(ATTACHMENTS))

    async def stow(self, request: TaskRequest) -> TaskRequest:
        """Return the request with its large inline files moved to the object store.

        An `object` that is not there is refused, naming the attachment.
        """
        moved = [await self._stow(n, each) for n, each in enumerate(request.attachments)]
        return request.model_copy(update={"attachments": tuple(moved)})

    async def documents(self, request: TaskRequest) -> list[Document]:
        """Return all attachments as text."""
        return [read_document(each.name, await self._content(each)) for each in request.attachments]

    async def _stow(self, number: int, attachment: Attachment) -> Attachment:
        if attachment.object is not None:
            await self._check(number, attachment.object)
            return attachment
        content = attachment.content()
        if len(content) <= SMALL:
            return attachment
        name = f"sha256-{hashlib.sha256(content).hexdigest()}"
        if not await self._has(name):
            await self._store.put(name, content)
        return Attachment(name=attachment.name, object=name, media_type=attachment.media_type)

    async def _check(self, number: int, name: str) -> None:
        field = f"attachments.{number}.object"
        if not await self._has(name):
            raise InvalidInput(f"{field}: no object {name!r} in {ATTACHMENTS}", field=field)
        size = (await self._store.get_info(name)).size or 0
        if size > LARGEST:
            raise InvalidInput(f"{field}: {size} bytes, at most {LARGEST}", field=field)

    async def _has(self, name: str) -> bool:
        try:
            await self._store.get_info(name)
        except (ObjectNotFoundError, NotFoundError):
            return False
        return True

    async def _content(self, attachment: Attachment) -> bytes:
        if attachment.object is None:
            return attachment.content()
        return await self._read(attachment.object)

    async def _read(self, name: str) -> bytes:
        try:
            return await read_object(self._bus, self._store, ATTACHMENTS, name)
        except (ObjectNotFoundError, NotFoundError):
            raise NotFound(f"the object {name} is gone from {ATTACHMENTS}") from None


async def read_object(bus: Bus, store: ObjectStore, bucket: str, name: str) -> bytes:
    """Return an object's bytes, read directly: one question, and no consumer is made."""
    info = await store.get_info(name)
    stored = await read_subject(bus, f"OBJ_{bucket}", f"$O.{bucket}.C.{info.nuid}")
    content = b"".join(chunk.data for chunk in stored)
    if info.digest != digest_of(content):
        raise NotFound(f"the object {name} in {bucket} is not whole")
    return content


def digest_of(content: bytes) -> str:
    """Return the digest as the object store writes it (ADR-20)."""
    return "SHA-256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode()
