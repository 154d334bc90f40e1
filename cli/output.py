"""What people see, and what programs read: tables and lines, or JSON on stdout.

Text from the bus may hold anything; whatever could steer a terminal is shown, never obeyed.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from rich.console import Console

# C0 and C1 controls, and the marks that reorder or hide text (bidirectional, zero-width).
_STEERING = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
_IN_BLOCK = re.compile(f"[{_STEERING}]")
_IN_LINE = re.compile(f"[\t\n{_STEERING}]")
_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_STRONG = re.compile(r"\*\*(\S(?:[^*\n]*\S)?)\*\*|^#{1,6} +(.+)$", re.MULTILINE)
_SHORTENED = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?[eE][-+]?\d+')
WIDE = 4000

STYLES = {
    "ok": "green", "ready": "green", "done": "green", "yes": "green", "running": "cyan",
    "planning": "cyan", "starting": "cyan", "draining": "yellow", "waiting": "yellow",
    "warn": "yellow", "queued": "dim", "cancelled": "dim", "goodbye": "dim", "silent": "red",
    "failed": "red", "rejected": "red", "fail": "red", "quarantined": "red", "missing": "red",
}  # fmt: skip


def clean(text: object) -> str:
    """Return `text` as one line: controls, line ends too, become visible escapes."""
    return _IN_LINE.sub(_escape, str(text))


def clean_block(text: str) -> str:
    """Return `text` with its lines kept and every other control made a visible escape."""
    return _IN_BLOCK.sub(_escape, text.replace("\r\n", "\n"))


def readable(block: str) -> str:
    """Return Markdown for a terminal, `**strong**` words and headings in bold; else unchanged."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return block
    return _STRONG.sub(lambda found: typer.style(found[1] or found[2], bold=True), block)


def cut(text: object, width: int) -> str:
    """Return one clean line of at most `width` characters, with `…` where it was cut."""
    line = clean(text)
    return line if len(line) <= width else line[: width - 1] + "…"


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode()


def emit_json(document: Any) -> None:
    """Print one document; controls that JSON lets through are escaped as JSON allows."""
    typer.echo(json_text(document, indent=2))


def emit_json_line(document: Any) -> None:
    """Print one document of a stream on one line, at once."""
    typer.echo(json_text(document))
    sys.stdout.flush()


def json_text(document: Any, indent: int | None = None) -> str:
    """Return JSON for plain data or a body; the whole Unicode, but nothing that steers.

    Numbers stand without an exponent: `0.000095`, never `9.5e-05`.
    """
    text = json.dumps(plain(document), ensure_ascii=False, indent=indent, default=_written)
    text = _SHORTENED.sub(lambda found: _number(found.group()), text)
    return _IN_JSON.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _number(found: str) -> str:
    return found if found.startswith('"') else f"{Decimal(found):f}"


def _written(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def plain(document: Any) -> Any:
    """Return bodies, also inside lists and dicts, as plain data; decimals stay exact text."""
    if hasattr(document, "model_dump"):
        return _decimals(document.model_dump(), document.model_dump(mode="json"))
    if isinstance(document, dict):
        return {key: plain(value) for key, value in document.items()}
    if isinstance(document, list | tuple):
        return [plain(value) for value in document]
    return document


def _decimals(values: Any, dumped: Any) -> Any:
    """Return `dumped` with each decimal of `values` written out: `0.0000000`, never `0E-7`."""
    if isinstance(values, Decimal):
        return f"{values:f}"
    if isinstance(values, dict) and isinstance(dumped, dict) and len(values) == len(dumped):
        pairs = zip(values.values(), dumped.items(), strict=True)
        return {key: _decimals(value, one) for value, (key, one) in pairs}
    if isinstance(values, list | tuple) and isinstance(dumped, list):
        return [_decimals(value, one) for value, one in zip(values, dumped, strict=True)]
    return dumped


def say(line: str = "") -> None:
    """Tell people something beside the data: one line on stderr."""
    typer.echo(clean(line), err=True)


def tell(line: str = "") -> None:
    """Print one line of the answer on stdout."""
    typer.echo(clean(line))


def console(*, err: bool = False) -> Console:
    """Return a rich console: colours only on a terminal, never cut where there is none."""
    from rich.console import Console

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else WIDE
    return Console(file=stream, highlight=False, markup=False, emoji=False, width=width)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their columns on stdout; on a narrow terminal the last column folds."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        last = column == columns[-1] and sys.stdout.isatty()
        shown.add_column(column, overflow="fold", no_wrap=not last)
    for row in rows:
        shown.add_row(*(cell(value) for value in row))
    console().print(shown)


def cell(value: object) -> Any:
    """Return a value as clean text, in the colour that its word has."""
    from rich.text import Text

    line = "-" if value is None or value == "" else clean(value)
    return Text(line, style=STYLES.get(line.split(" ")[0], ""))


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Print aligned `name  value` lines on stdout."""
    given = [(name, "-" if value is None or value == "" else value) for name, value in rows]
    width = max((len(name) for name, _ in given), default=0)
    for name, value in given:
        tell(f"{name.ljust(width)}  {value}")


def show(body: BaseModel | dict[str, Any], as_json: bool, render: Any) -> None:
    """Print `body` as JSON, or hand it to `render` for people."""
    if as_json:
        emit_json(body)
    else:
        render(body)
