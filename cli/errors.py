"""Every failure as one line that says what failed, which field, and what to do next.

Exit codes: 0 fine, 1 failed, 2 wrong usage (also a wrong setting or a wrong field), 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import typer

from cli.output import clean
from shared.errors import (
    InvalidInput,
    InvalidSetting,
    ModelMissing,
    NeedsModel,
    SovereignError,
    first_of,
)

FAILED = 1
USAGE = 2
INTERRUPTED = 130


class UsageFault(SovereignError):
    """The command line itself makes no sense; the message says which part."""

    code = "usage"


def report(error: BaseException) -> int:
    """Print `error` on stderr and return the exit code; raise what nobody expected."""
    error = first_of(error)
    if isinstance(error, SovereignError):
        return _fail(_sentence(error), USAGE if _is_usage(error) else FAILED)
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if hasattr(error, "format_message"):
        return _usage(error)
    if isinstance(error, typer.Abort):
        return _fail("nothing was done", FAILED)
    if isinstance(error, OSError):
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}", FAILED)
    raise error


def _is_usage(error: SovereignError) -> bool:
    return isinstance(error, InvalidInput | InvalidSetting | UsageFault)


def _sentence(error: SovereignError) -> str:
    """Return the message, with the field in front unless it is named already."""
    if isinstance(error, NeedsModel | ModelMissing):
        return f"{error.message}; `sovereign doctor` tells how to get one"
    if error.field and error.field not in error.message:
        return f"{error.field}: {error.message}"
    return error.message


def _usage(error: Any) -> int:
    """Print a usage error in one line; the help that stands in for one is printed whole.

    Typer exports only some classes of its usage errors, but all of them carry `format_message`.
    """
    message = str(error.format_message())
    if "\n" in message.strip() and "Usage:" in message:
        typer.echo(message, err=True)
        return USAGE
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "sovereign"
    message = message.replace("Value error, ", "").rstrip(".")
    if getattr(error, "option_name", "")[1:2].isdigit():
        message += ": a number below zero is taken for an option unless it stands after `--`"
    return _fail(f"{message}; see `{path} --help`", USAGE)


def _fail(line: str, code: int) -> int:
    typer.echo(f"sovereign: {clean(line)}", err=True)
    return code
