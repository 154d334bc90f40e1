"""Asking before something that cannot be taken back."""

from __future__ import annotations

import sys

import typer


def agree(what: str, *, yes: bool) -> None:
    """Return if the person agrees; without a terminal only `--yes` does, else exit 2."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"to {what}, say --yes")
    typer.confirm(f"Really {what}?", abort=True, err=True)
