"""A backup: one file with the snapshots of all streams, their digests, and a manifest.

A plain tar: `manifest.json` first, then `STREAM.snapshot` each. It is written beside its place
and renamed when it is whole, so a file with the right name is a whole backup.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tarfile
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from shared import snapshots
from shared.bus import Bus
from shared.clock import now
from shared.errors import InvalidInput, NotFound, Unavailable
from shared.events.ops import BackupReply, StreamBackup
from shared.snapshots import Snapshot
from shared.streams import ADVISORIES, BUCKETS, LEADER, OBJECT_STORES, STREAMS

FOLDER = "backups"
MANIFEST = "manifest.json"
VERSION = 1
_NAME = re.compile(r"^sovereign-\d{8}T\d{6}Z\.tar$")

CONTENT = (
    *(stream.name for stream in STREAMS if stream is not ADVISORIES),
    *(f"KV_{bucket.name}" for bucket in BUCKETS if bucket is not LEADER),
    *(f"OBJ_{name}" for name in OBJECT_STORES),
)
"""What is backed up: everything but the lease and the server's own advisories."""


async def make(bus: Bus, folder: Path, host: str) -> BackupReply:
    """Write a backup of every stream into `folder`; return where it is and what it holds."""
    began = time.monotonic()
    _make_room(folder, 2 * await _used_bytes(bus))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as work:
        saved = [one async for one in _save_all(bus, Path(work))]
        at = now().astimezone(UTC)
        name = f"sovereign-{at:%Y%m%dT%H%M%SZ}.tar"
        manifest = {"version": VERSION, "host": host, "at": at.isoformat(),
                    "streams": [asdict(one) for one in saved]}  # fmt: skip
        path = folder / name
        await asyncio.to_thread(_pack, Path(work), path, manifest)
    return BackupReply(
        file=str(path),
        host=host,
        bytes=path.stat().st_size,
        streams=tuple(_told(one) for one in saved),
        took_s=round(time.monotonic() - began, 3),
    )


def listed(folder: Path) -> list[Path]:
    """Return the whole backups of a folder, the newest last."""
    found = folder.glob("*.tar") if folder.exists() else ()
    return sorted(path for path in found if _NAME.fullmatch(path.name))


def age_s(path: Path, at: datetime) -> float:
    """Return how long ago a backup was made, by its name."""
    made = datetime.strptime(path.stem.removeprefix("sovereign-"), "%Y%m%dT%H%M%SZ")
    return max(0.0, (at - made.replace(tzinfo=UTC)).total_seconds())


def prune(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups; return what was removed."""
    old = listed(folder)[:-keep] if keep else []
    for path in old:
        path.unlink(missing_ok=True)
    return old


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[tuple[list[Snapshot], Path]]:
    """Yield the snapshots of a backup and the folder where they lie unpacked.

    Raises `NotFound` for no file, `InvalidInput` for one that is no backup.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".reading-") as work:
        manifest = await asyncio.to_thread(_unpack, path, Path(work))
        yield [Snapshot(**one) for one in manifest["streams"]], Path(work)


async def restore(
    bus: Bus, found: Sequence[Snapshot], folder: Path, replace: bool
) -> AsyncIterator[StreamBackup]:
    """Bring the streams back, one after the other; yield each when it is there.

    One that exists is taken away first if `replace` says so, and put back should its restoring
    fail; else it is left alone and `Conflict` is raised.
    """
    for one in found:
        path = folder / f"{one.stream}.snapshot"
        before = folder / f"{one.stream}.before"
        kept = None
        if replace and await snapshots.exists(bus, one.stream):
            kept = await snapshots.save(bus, one.stream, before)
            await bus.js.delete_stream(one.stream)
        try:
            await snapshots.load(bus, one, path)
        except Exception:
            if kept is not None and not await snapshots.exists(bus, one.stream):
                await snapshots.load(bus, kept, before)
            raise
        yield _told(one)


async def _save_all(bus: Bus, folder: Path) -> AsyncIterator[Snapshot]:
    for stream in CONTENT:
        try:
            yield await snapshots.save(bus, stream, folder / f"{stream}.snapshot")
        except NotFound:
            continue  # declared, but not on this server yet


async def _used_bytes(bus: Bus) -> int:
    return int((await bus.js.account_info()).storage)


def _told(one: Snapshot) -> StreamBackup:
    return StreamBackup(
        stream=one.stream, messages=one.messages, bytes=one.bytes, sha256=one.sha256
    )


def _make_room(folder: Path, least_bytes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(folder).free < least_bytes:
        line = f"a backup may need {least_bytes // 1024**2} MB in {folder}: there is no room"
        raise Unavailable(line)


def _pack(work: Path, path: Path, manifest: dict[str, Any]) -> None:
    fresh = path.with_suffix(".new")
    (work / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
    with tarfile.open(fresh, "w") as archive:
        archive.add(work / MANIFEST, MANIFEST)
        for one in sorted(work.glob("*.snapshot")):
            archive.add(one, one.name)
    fresh.chmod(0o600)
    fresh.replace(path)


def _unpack(path: Path, work: Path) -> dict[str, Any]:
    if not path.is_file():
        raise NotFound(f"{path}: no such file", field="file")
    try:
        with tarfile.open(path) as archive:
            archive.extractall(work, filter="data")
        manifest: dict[str, Any] = orjson.loads((work / MANIFEST).read_bytes())
        wanted = [one["stream"] for one in manifest["streams"]]
    except (tarfile.TarError, OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{path.name} is no backup: {error}", field="file") from None
    if manifest.get("version") != VERSION:
        raise InvalidInput(f"{path.name} is of another version", field="file")
    if missing := [name for name in wanted if not (work / f"{name}.snapshot").is_file()]:
        raise InvalidInput(f"{path.name} lacks {missing[0]}", field="file")
    return manifest
