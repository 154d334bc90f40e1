"""Opening the read model: kept when it belongs to these streams, made anew when it does not."""

from __future__ import annotations

import logging
from pathlib import Path

from services.match import fold, store
from services.match.store import Store
from services.match.writer import STREAMS
from shared.bus import Bus
from shared.clock import now

log = logging.getLogger(__name__)


async def open_book(bus: Bus, path: Path) -> Store:
    """Return the store of `path`; a file that is ahead of the streams is put aside, never lost."""
    if store.version(path) not in (None, store.VERSION):
        put_aside(path, "it has another schema")
    book = await Store.open(path)
    if await _ahead(bus, book):
        await book.close()
        put_aside(path, "it knows more than the streams: these are not its streams")
        book = await Store.open(path)
    return book


async def _ahead(bus: Bus, book: Store) -> bool:
    """Tell whether the file has counted in what the streams do not hold."""
    for stream in STREAMS:
        last = (await bus.js.stream_info(stream)).state.last_seq
        if await book.read(lambda db, name=stream: fold.position(db, name)) > last:  # type: ignore[misc]
            return True
    return False


def put_aside(path: Path, why: str) -> None:
    """Rename the file and its companions, so that a new one can be made."""
    kept = f"{path}.aside-{now():%Y%m%dT%H%M%S%f}"
    log.warning("%s is put aside as %s: %s", path, kept, why)
    for ending in ("", "-wal", "-shm"):
        companion = Path(f"{path}{ending}")
        if companion.exists():
            companion.rename(f"{kept}{ending}")
