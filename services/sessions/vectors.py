"""Vectors on disk, under the hash of what they stand for: paid for once, whatever is rebuilt."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

TABLE = """
CREATE TABLE IF NOT EXISTS vector(
    key BLOB, model TEXT, data BLOB NOT NULL, PRIMARY KEY (key, model)
) WITHOUT ROWID
"""
AT_ONCE = 500


class VectorFile:
    """One SQLite file of float16 vectors. For one thread at a time; a damaged file is made anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = self._open()
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            self._db = self._open()

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=5.0, check_same_thread=False)
        for line in ("journal_mode=WAL", "secure_delete=ON", "synchronous=NORMAL"):
            db.execute(f"PRAGMA {line}")
        db.execute(TABLE)
        return db

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def known(self, model: str, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Return those of a model's vectors that are there."""
        wanted = list(dict.fromkeys(keys))
        found: dict[bytes, bytes] = {}
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            marks = ",".join("?" * len(some))
            sql = f"SELECT key, data FROM vector WHERE model = ? AND key IN ({marks})"  # noqa: S608
            found |= dict(self._db.execute(sql, (model, *some)).fetchall())
        return found

    def keep(self, model: str, vectors: Mapping[bytes, bytes]) -> None:
        """Add vectors of a model."""
        with self._db:
            sql = "INSERT OR REPLACE INTO vector VALUES (?, ?, ?)"
            rows = [(key, model, data) for key, data in vectors.items()]
            self._db.executemany(sql, rows)

    def drop_all_but(self, keys: Collection[bytes]) -> int:
        """Delete, and overwrite, what stands for nothing any more; return how many that were."""
        rows = self._db.execute("SELECT DISTINCT key FROM vector")
        gone = [(key,) for (key,) in rows if key not in keys]
        with self._db:
            self._db.executemany("DELETE FROM vector WHERE key = ?", gone)
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return len(gone)


def key_of(text: str) -> bytes:
    """Return what a text's vector is found under."""
    return hashlib.sha256(text.encode()).digest()[:16]
