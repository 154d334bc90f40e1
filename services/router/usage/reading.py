"""Finds the entries of an export: rows of CSV, lines of JSON, or lists inside one JSON document."""

from __future__ import annotations

import base64
import binascii
import codecs
import csv
import io
import zlib
from collections.abc import Iterator
from typing import Any

import orjson

from shared.errors import InvalidInput
from shared.events.usage import MOST_BYTES

Entry = tuple[int, dict[str, Any] | None]
"""The number of a line or entry, from 1, and its fields; None when it cannot be read."""
MOST_ENTRIES = 500_000
INNER = ("results", "modelBreakdowns", "model_breakdowns")
"""Lists inside an entry that hold the real ones; what is beside them holds for each of them."""
OUTER = ("data", "daily", "monthly", "weekly", "session", "sessions", "blocks", "results")
GZIP = 31


def unpack(data: str) -> str:
    """Return the text of a file; raise `InvalidInput` for what is no gzip, no text, or too much."""
    try:
        unzip = zlib.decompressobj(GZIP)
        raw = unzip.decompress(base64.b64decode(data, validate=True), MOST_BYTES)
    except (binascii.Error, zlib.error) as error:
        raise InvalidInput(f"data is not base64 of a gzipped file: {error}", field="data") from None
    if unzip.unconsumed_tail:
        line = f"the file is larger than {MOST_BYTES >> 20} MiB: split it"
        raise InvalidInput(line, field="data")
    wide = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return raw.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the file is not text in UTF-8: {error}", field="data") from None


def entries(text: str) -> Iterator[Entry]:
    """Yield the entries; raise `InvalidInput` when the file as a whole makes no sense."""
    start = text.lstrip()[:1]
    if not start:
        raise InvalidInput("the file is empty", field="data")
    if start not in "{[":
        return _rows(text)
    try:
        whole = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _lines(text)
    return _inside(whole)


def _rows(text: str) -> Iterator[Entry]:
    lines = csv.reader(io.StringIO(text), strict=True)
    try:
        head = [name.strip() for name in next(lines)]
        if len(head) < 2:
            line = "the first line names no columns with commas between: not a CSV export"
            raise InvalidInput(line, field="data")
        while (row := next(lines, None)) is not None:
            if row:
                fits = len(row) == len(head)
                yield lines.line_num, dict(zip(head, row, strict=True)) if fits else None
    except csv.Error as error:
        raise InvalidInput(f"line {lines.line_num}: {error}", field="data") from None


def _lines(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            value = None
        yield number, value if isinstance(value, dict) else None


def _inside(whole: Any) -> Iterator[Entry]:
    """Yield the entries of one document: a list, or the list under a name that exports use."""
    for number, found in enumerate(_unfolded(_listed(whole)), 1):
        yield number, found if isinstance(found, dict) else None


def _listed(whole: Any) -> list[Any]:
    if isinstance(whole, list):
        return whole
    listed = next((whole[name] for name in OUTER if isinstance(whole.get(name), list)), None)
    return [whole] if listed is None else listed


def _unfolded(found: list[Any]) -> Iterator[Any]:
    for entry in found:
        inner = _inner(entry)
        if inner is None:
            yield entry
            continue
        around = {name: value for name, value in entry.items() if not isinstance(value, list)}
        times = {name: value for name, value in around.items() if not _counts(value)}
        yield from ({**times, **one} if isinstance(one, dict) else one for one in inner)


def _inner(entry: Any) -> list[Any] | None:
    if not isinstance(entry, dict):
        return None
    return next((entry[name] for name in INNER if isinstance(entry.get(name), list)), None)


def _counts(value: Any) -> bool:
    """Tell whether a value around a list is a sum of it, rather than a time or a name."""
    small = 1_000_000_000  # seconds since 1970 are more
    return isinstance(value, float) or (isinstance(value, int) and value < small)
