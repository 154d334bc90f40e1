"""The contract's bodies and subjects, from the code itself."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

import typer

from cli.output import emit_json, table
from shared.contract import CHANNELS
from shared.errors import NotFound
from shared.schemas import documents


def list_bodies(as_json: bool) -> None:
    """Print every subject with its body."""
    rows = [
        {
            "subject": channel.subject,
            "body": channel.body.__name__,
            "reply": None if channel.reply is None else channel.reply.__name__,
            "publisher": channel.publisher,
            "consumer": channel.consumer,
            "about": channel.about,
        }
        for channel in CHANNELS
    ]
    if as_json:
        emit_json(rows)
    else:
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])


def show_body(name: str) -> None:
    """Print the JSON Schema of one body, or the AsyncAPI document."""
    files = {Path(path).stem: text for path, text in documents().items()}
    if name not in files:
        near = get_close_matches(name, files, 1, 0.6)
        hint = f"did you mean {near[0]}?" if near else "`sovereign schema` lists them"
        raise NotFound(f"no body {name}: {hint}")
    typer.echo(files[name].rstrip("\n"))
