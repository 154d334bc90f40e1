"""Where changes are kept: one key of a bucket, written with compare-and-set by any router."""

from __future__ import annotations

from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from pydantic import ValidationError

from shared.bus import Bus
from shared.errors import Conflict, Unavailable
from shared.events import TuningChange, TuningChanges
from shared.streams import TUNING

KEY = "changes"
SUBJECT = f"$KV.{TUNING.name}.{KEY}"
MOST = 200
Changes = tuple[TuningChange, ...]


class Store:
    """All changes, the latest first; those that were taken back go first when there are many."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._bucket: KeyValue | None = None

    async def read(self) -> tuple[Changes, int]:
        """Return the changes and their revision; raise `Unavailable` without the bucket."""
        try:
            entry = await (await self._open()).get(KEY)
            kept = TuningChanges.model_validate_json(entry.value or b"{}")
        except KeyNotFoundError:
            return (), 0
        except ValidationError as error:
            raise Unavailable(f"the kept changes cannot be read: {error}"[:300]) from error
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"the bucket {TUNING.name} does not answer: {error}") from error
        return kept.changes, entry.revision or 0

    async def write(self, changes: Changes, revision: int) -> None:
        """Keep the changes, or raise `Conflict` when another router wrote first."""
        body = TuningChanges(changes=_bounded(changes)).model_dump_json().encode()
        try:
            await (await self._open()).update(KEY, body, last=revision)
        except KeyWrongLastSequenceError as error:
            raise Conflict("another change was made at the same moment: try again") from error
        except (NatsError, TimeoutError) as error:
            raise Unavailable(f"the bucket {TUNING.name} does not answer: {error}") from error

    async def _open(self) -> KeyValue:
        if self._bucket is None:
            self._bucket = await self._bus.js.key_value(TUNING.name)
        return self._bucket


def _bounded(changes: Changes) -> Changes:
    kept = list(changes)
    for change in reversed(changes):
        if len(kept) <= MOST:
            break
        if change.state != "applied":
            kept.remove(change)
    return tuple(kept[:MOST])
