"""The acts behind `sovereign access`: the access file in the dashboard's data folder."""

from __future__ import annotations

import sys
from pathlib import Path

import typer
from pydantic import ValidationError

from cli.confirming import agree
from cli.errors import UsageFault
from cli.output import emit_json, say, table, tell
from shared import access
from shared.access import Access, Role
from shared.bus import invalid
from shared.clock import now
from shared.settings import load
from shared.subjects import token as checked

HINT = "from now on the dashboard asks for a login"
NOBODY = "and no person has one: name yourself with `sovereign access add NAME --role operate`"


def add(name: str, role: Role, password_file: str | None) -> None:
    """Add a person, asking for the password unless a file gives it."""
    checked(name, "name")
    path = access.file_of(load())
    first = _is_open(access.read(path))
    person = access.add_person(path, name, role, _password(password_file))
    tell(f"{person.name} may {person.role}")
    if first:
        say(HINT)


def token(name: str, role: Role, days: float | None, as_json: bool) -> None:
    """Make a token and print it."""
    checked(name, "name")
    path = access.file_of(load())
    known = access.read(path)
    try:
        secret = access.add_key(path, name, role, days)
    except ValidationError as error:
        raise invalid(error) from None
    if as_json:
        emit_json({"name": name, "role": role, "token": secret})
    else:
        tell(secret)
        say("it is shown this once; send it as `Authorization: Bearer TOKEN`")
    if not known.people:
        say(f"{HINT}, {NOBODY}")


def remove(name: str, yes: bool) -> None:
    """Remove a person after asking."""
    agree(f"remove {name}", yes=yes)
    access.remove_person(access.file_of(load()), name)
    tell(f"{name} is removed")


def revoke(name: str, yes: bool) -> None:
    """Revoke a token after asking."""
    agree(f"revoke the token {name}", yes=yes)
    access.remove_key(access.file_of(load()), name)
    tell(f"the token {name} is revoked")


def show_all(as_json: bool) -> None:
    """Print who may enter."""
    known = access.read(access.file_of(load()))
    if as_json:
        emit_json({"people": _people(known), "tokens": _tokens(known)})
        return
    if _is_open(known):
        tell("nobody is named: whoever reaches the dashboard's address on this host may do all")
        return
    found = [*_people(known), *_tokens(known)]
    kinds = ["person"] * len(known.people) + ["token"] * len(known.keys)
    rows = [
        (kind, *(one.get(key, "") for key in TOKEN)) for kind, one in zip(kinds, found, strict=True)
    ]
    table(("kind", *TOKEN), rows)


TOKEN = ("name", "role", "since", "until")


def _people(known: Access) -> list[dict[str, str]]:
    return [
        {"name": one.name, "role": one.role, "since": f"{one.since:%Y-%m-%d %H:%M}"}
        for one in known.people
    ]


def _tokens(known: Access) -> list[dict[str, str]]:
    return [
        {
            "name": one.name,
            "role": one.role,
            "since": f"{one.since:%Y-%m-%d %H:%M}",
            "until": _until(one),
        }
        for one in known.keys
    ]


def _until(key: access.Key) -> str:
    if key.until is None:
        return "until it is revoked"
    ended = " (over)" if key.until <= now() else ""
    return f"{key.until:%Y-%m-%d %H:%M}{ended}"


def _is_open(known: Access) -> bool:
    return not (known.people or known.keys)


def _password(source: str | None) -> str:
    """Return the password from a file, from stdin, or asked for twice without showing it."""
    if source == "-":
        return sys.stdin.readline().rstrip("\r\n")
    if source is not None:
        return Path(source).read_text(encoding="utf-8").rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageFault("give the password with --password-file FILE, or `-` for stdin")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given
