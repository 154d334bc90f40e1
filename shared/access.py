"""Who may enter the dashboard: people with passwords and tokens for programs, in one file.

The file lies in the dashboard's data folder with mode 0600. Passwords are kept as Argon2id
hashes, tokens as SHA-256 (they are 256 random bits, so nothing slower is needed).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from pydantic import Field, ValidationError

from shared.clock import now
from shared.errors import Conflict, InvalidInput, InvalidSetting, NotFound
from shared.events.base import Body, Instant
from shared.settings import Settings
from shared.subjects import Token

if TYPE_CHECKING:
    from argon2 import PasswordHasher

Role = Literal["view", "submit", "operate"]
ROLES: tuple[Role, ...] = ("view", "submit", "operate")
"""Look; look and hand in tasks; all of it. Each holds what the one before it holds."""

LEAST_PASSWORD, MOST_PASSWORD = 10, 1000
PREFIX = "sov_"  # how every token begins, so that a leaked one is recognised


class Person(Body):
    """Somebody who logs in; `password` is an Argon2id hash."""

    name: Token
    role: Role
    password: str
    since: Instant = Field(default_factory=now)


class Key(Body):
    """A token of a program; `digest` is its SHA-256 in hex, `until` null when it never expires."""

    name: Token
    role: Role
    digest: str
    since: Instant = Field(default_factory=now)
    until: Instant | None = None


class Access(Body):
    """Everybody who may enter. While it is empty, a dashboard on loopback asks nobody."""

    people: tuple[Person, ...] = ()
    keys: tuple[Key, ...] = ()

    def person(self, name: str) -> Person | None:
        """Return the person of that name."""
        return next((one for one in self.people if one.name == name), None)


Named = TypeVar("Named", Person, Key)


def file_of(settings: Settings) -> Path:
    """Return where the file lies."""
    return settings.data_dir / "dashboard" / "access.json"


def read(path: Path) -> Access:
    """Return who may enter; a file that cannot be read is an error and never an open door."""
    try:
        return Access.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Access()
    except (OSError, ValidationError) as error:
        raise InvalidSetting(f"{path}: cannot be read ({type(error).__name__})") from error


def add_person(path: Path, name: str, role: Role, password: str) -> Person:
    """Add a person, or give one a new password and role; running sessions of theirs end."""
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        line = f"a password has {LEAST_PASSWORD} to {MOST_PASSWORD} characters"
        raise InvalidInput(line, field="password")
    person = Person(name=name, role=role, password=hasher().hash(password))
    with _changing(path) as access:
        access[0] = access[0].model_copy(update={"people": _with(access[0].people, person)})
    return person


def remove_person(path: Path, name: str) -> None:
    """Remove a person; `NotFound` when there is none of that name."""
    with _changing(path) as access:
        rest = _without(access[0].people, name, "person")
        access[0] = access[0].model_copy(update={"people": rest})


def add_key(path: Path, name: str, role: Role, days: float | None) -> str:
    """Make a token and return it: it is shown once and cannot be read from the file."""
    secret = PREFIX + secrets.token_urlsafe(32)
    until = None if days is None else now() + timedelta(days=days)
    key = Key(name=name, role=role, digest=digest(secret), until=until)
    with _changing(path) as access:
        if any(one.name == name for one in access[0].keys):
            raise Conflict(f"there is a token {name} already; revoke it first", field="name")
        access[0] = access[0].model_copy(update={"keys": (*access[0].keys, key)})
    return secret


def remove_key(path: Path, name: str) -> None:
    """Revoke a token at once; `NotFound` when there is none of that name."""
    with _changing(path) as access:
        rest = _without(access[0].keys, name, "token")
        access[0] = access[0].model_copy(update={"keys": rest})


def digest(secret: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hasher() -> PasswordHasher:
    """Return Argon2id with the parameters of RFC 9106 for little memory (64 MiB)."""
    try:
        from argon2 import PasswordHasher
    except ModuleNotFoundError as error:
        line = "argon2-cffi is missing: pip install 'sovereign[dashboard]'"
        raise InvalidSetting(line) from error
    return PasswordHasher()


def private_folder(path: Path) -> None:
    """Make the folder of `path`, for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def write_private(path: Path, data: bytes) -> None:
    """Replace the file in one step; nobody else may read it at any moment."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    number = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(path)


@contextmanager
def _changing(path: Path) -> Iterator[list[Access]]:
    """Yield the present state to be replaced, while no other process changes it."""
    private_folder(path)
    with path.with_name(".access.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = [read(path)]
        yield state
        write_private(path, state[0].model_dump_json(indent=2).encode())


def _with(people: tuple[Person, ...], person: Person) -> tuple[Person, ...]:
    return (*(one for one in people if one.name != person.name), person)


def _without(known: tuple[Named, ...], name: str, what: str) -> tuple[Named, ...]:
    rest = tuple(one for one in known if one.name != name)
    if len(rest) == len(known):
        raise NotFound(f"there is no {what} {name}", field="name")
    return rest
