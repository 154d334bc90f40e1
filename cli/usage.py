"""Past cloud usage, read from a file and sent to the router that sums it up."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

from cli.connection import ask
from cli.output import pairs, say, show, table, tell
from cli.reports import usd
from cli.wishes import build
from shared.errors import InvalidInput
from shared.events.usage import MOST_BYTES, MOST_PACKED, UsageImport, UsageImported, UsageKind

WAIT_S = 60.0


def import_usage(file: Path, as_json: bool) -> None:
    """Send the file and show the sums; raise `InvalidInput` for what cannot be read."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise InvalidInput(f"{file} is larger than {MOST_BYTES >> 20} MiB", field="FILE")
        packed = base64.b64encode(gzip.compress(file.read_bytes(), mtime=0)).decode()
        if len(packed) > MOST_PACKED:
            share = MOST_PACKED / len(packed)
            line = f"{file} is too large for the bus, though compressed: split it"
            raise InvalidInput(f"{line} (about {share:.0%} of it fit)", field="FILE")
    except OSError as error:
        raise InvalidInput(f"{file}: {error.strerror}", field="FILE") from None
    wish = build(UsageImport, {"name": file.name[:255], "data": packed})
    show(ask("model.import", wish, UsageImported, WAIT_S), as_json, _show)


def _show(found: UsageImported) -> None:
    columns = ("kind of work", "entries", "tokens in", "tokens out", "paid", "at home", "hours")
    table((*columns, "saved"), [_kind(kind) for kind in found.kinds])
    tell()
    period = f"{found.since} to {found.until}" if found.since else "unknown"
    pairs(
        [
            ("period", period),
            ("paid", usd(found.paid_usd)),
            ("saved by moving over", usd(found.saved_usd)),
            ("without a known price", ", ".join(found.unknown_models)),
            ("left out", found.rejected),
            ("told twice", found.repeated),
        ]
    )
    for fault in found.faults[:10]:
        say(f"line {fault.line}: {fault.why}")
    tell(found.notice)


def _kind(kind: UsageKind) -> tuple[object, ...]:
    name = kind.kind if kind.movable else f"{kind.kind} (stays)"
    hours = None if kind.local_hours is None else f"{kind.local_hours:.1f}"
    home = usd(kind.local_usd) if kind.movable else None
    saved = usd(kind.saved_usd) if kind.movable else None
    return (name, kind.entries, kind.prompt_tokens, kind.completion_tokens, usd(kind.paid_usd),
            home, hours, saved)  # fmt: skip
