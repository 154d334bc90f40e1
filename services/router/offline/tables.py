"""Tables in a text: Markdown pipes, and lines of comma-, semicolon- or tab-separated cells."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import Literal

from services.router.offline.words import tokens, word_set

_SEPARATORS = ("\t", ";", "|", ",")
_FEWEST_ROWS = 2
_MOST_COLUMNS = 60
_MOST_WORDS = 4
_OPEN_WORDS = word_set(
    "open todo pending new waiting blocked progress wip doing started outstanding backlog planned "
    "ready no not offen neu wartet blockiert laufend geplant arbeit nein false"
)
_DONE_WORDS = word_set(
    "done closed complete completed finished resolved fixed cancelled canceled yes true shipped "
    "merged erledigt fertig abgeschlossen geschlossen ja gelöst"
)
_STATE_COLUMNS = word_set("status state done stand zustand erledigt fertig complete")


@dataclass(frozen=True)
class Table:
    """Rows of cells under column names; `rows` holds the cells by line, without head and rule."""

    columns: tuple[str, ...]
    rows: dict[int, tuple[str, ...]]

    def fields(self, at: int) -> tuple[tuple[str, str], ...]:
        """Return (column, cell) pairs of the row on line `at`; none for head and rule."""
        cells = self.rows.get(at, ())
        return tuple(zip(self.columns, cells, strict=False))

    def state(self, fields: tuple[tuple[str, str], ...]) -> Literal["open", "done", ""]:
        """Return what the row's status column says."""
        for column, cell in fields:
            if not _STATE_COLUMNS.isdisjoint(tokens(column)):
                words = set(tokens(cell)) or {cell.strip()}
                if words & _OPEN_WORDS or cell.strip() == "":
                    return "open"
                return "done" if words & _DONE_WORDS or cell.strip().lower() == "x" else ""
        return ""


def find_tables(lines: list[str]) -> dict[int, Table]:
    """Return the table of each line that stands in one."""
    found: dict[int, Table] = {}
    at = 0
    while at < len(lines):
        end, separator = _run(lines, at)
        if separator:
            table = _table(lines, range(at, end), separator)
            if table:
                found.update(dict.fromkeys(range(at, end), table))
        at = max(end, at + 1)
    return found


def _run(lines: list[str], at: int) -> tuple[int, str]:
    """Return where a run of lines with the same number of cells ends, and what separates them."""
    first = lines[at].strip()
    for separator in _SEPARATORS:
        count = first.count(separator)
        if not 1 <= count < _MOST_COLUMNS or not _looks_like_head(first, separator, count):
            continue
        end = at + 1
        while end < len(lines) and _same(lines[end], separator, count):
            end += 1
        if end - at > _FEWEST_ROWS - (separator == "|"):
            return end, separator
    return at + 1, ""


def _looks_like_head(line: str, separator: str, count: int) -> bool:
    """Tell whether a line can be a table's first: cells are short, prose with commas is not."""
    if separator == "|":
        return line.startswith("|") or count >= 2
    cells = _cells(line, separator)
    if line[-1:] in ".!?:" or any(len(cell.split()) > _MOST_WORDS for cell in cells):
        return False
    return count >= (2 if separator == "," else 1) and all(0 < len(c) <= 40 for c in cells)


def _same(line: str, separator: str, count: int) -> bool:
    clean = line.strip()
    if clean.count(separator) == count:
        return True
    return '"' in clean and separator != "|" and len(_cells(clean, separator)) == count + 1


def _cells(line: str, separator: str) -> list[str]:
    if separator == "|":
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    try:
        return [cell.strip() for cell in next(csv.reader([line.strip()], delimiter=separator), [])]
    except csv.Error:
        return [cell.strip() for cell in line.split(separator)]


def _table(lines: list[str], span: range, separator: str) -> Table | None:
    head = _cells(lines[span.start], separator)
    if not all(any(c.isalpha() for c in cell) for cell in head if cell) or not any(head):
        return None
    body = {at: tuple(_cells(lines[at], separator)) for at in span[1:]}
    rows = {at: cells for at, cells in body.items() if any(c.strip("-: ") for c in cells)}
    return Table(tuple(head), rows) if rows else None
