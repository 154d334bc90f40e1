"""The handoff document as Markdown, from its JSON form alone."""

from __future__ import annotations

import json
from typing import Any

Line = dict[str, Any]
SHOWN = ("what", "why", "impact", "status", "reason", "evidence", "confidence", "rejected",
         "uri", "sha256", "owner", "due", "parents", "checksum")  # fmt: skip
"""Fields of a line that are written below it, in this order."""


def render(document: dict[str, Any], checksum: str) -> str:
    """Return the document as Markdown; every line ends in the id of its event."""
    head = (
        f"# Handoff: {_one_line(document['title'])}\n\n"
        f"Session `{document['session_id']}` in namespace `{document['namespace']}`,"
        f" seq {document['seq']}, {document['status']}.\n"
    )
    body = "\n".join(_section(section) for section in document["sections"])
    return f"{head}\n{body}\nChecksum: `sha256:{checksum}`\n"


def _section(section: dict[str, Any]) -> str:
    rows = [f"## {section['number']}. {section['title']}", ""]
    if section["cut"]:
        rows.append(f"- … {section['cut']} older ones are left out")
    rows += [row for line in section["lines"] for row in _rows(line)]
    if not section["lines"]:
        rows.append("None.")
    return "\n".join(rows) + "\n"


def _rows(line: Line) -> list[str]:
    priority = f"[{line['priority']}] " if "priority" in line else ""
    value = f" = {_value(line['value'])}" if "value" in line else ""
    label = _engine(line)
    rows = [f"- {priority}{_one_line(line['text'])}{value}{label} `{line['event_id']}`"]
    rows += [f"  - {name}: {_value(line[name])}" for name in SHOWN if name in line]
    return rows + _detail(str(line.get("detail", "")))


def _engine(line: Line) -> str:
    """Say which engine answered, and that it was no language model when it was none."""
    if "engine" not in line:
        return ""
    return f" ({line['engine']}{'' if line.get('is_llm') else ', no language model'})"


def _detail(text: str) -> list[str]:
    """Return the body of an event as a quotation under its line, so that it cannot end the list."""
    return [f"  > {row}".rstrip() for row in text.strip().splitlines()] if text.strip() else []


def _value(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "; ".join(map(_one_line, value))
    return _one_line(value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
