"""Typed requests from the words of the command line, and commands to ops."""

from __future__ import annotations

from getpass import getuser
from typing import Any, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from cli.connection import ask
from cli.errors import FAILED
from cli.output import emit_json, say, tell
from shared.bus import invalid
from shared.events.ops import CommandReply, OpsAsk
from shared.settings import Settings
from shared.subjects import token

Kind = TypeVar("Kind", bound=BaseModel)

COMMAND_S = 60.0
"""Seconds that ops may take to carry a command out and see the beat come back."""


def build(kind: type[Kind], fields: dict[str, Any]) -> Kind:
    """Return the body without what was not given; raise `InvalidInput` naming the field."""
    try:
        return kind.model_validate({key: v for key, v in fields.items() if v is not None})
    except ValidationError as error:
        raise invalid(error) from None


def namespace_of(settings: Settings, given: str | None) -> str:
    """Return the namespace that was named, else the setting's; an empty name is a wrong one."""
    return settings.sessions.namespace if given is None else token(given, "namespace")


def person() -> str:
    """Return who sits at the terminal, for the record."""
    try:
        return getuser()
    except (KeyError, OSError):
        return "somebody"


def command(
    subject: str, target: tuple[str, str | None, str | None], reason: str, as_json: bool
) -> None:
    """Ask ops for something, print what became of it; exit 1 when it was not accepted."""
    service, instance, host = target
    fields = {"service": service, "instance": instance, "host": host, "reason": reason}
    wish = build(OpsAsk, {**fields, "by": person()})
    reply = ask(subject, wish, CommandReply, COMMAND_S)
    if as_json:
        emit_json(reply)
    else:
        word = "accepted" if reply.accepted else "refused"
        tell(f"{word}: {reply.detail or reply.command_id}")
    if reply.accepted and not as_json:
        say("until it is ready again, in a few seconds, `sovereign ops status` is not healthy;")
        say(f"how it went: sovereign ops history --service {service}")
    if not reply.accepted:
        raise typer.Exit(FAILED)
