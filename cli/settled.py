"""Every setting with its value and its source; secrets never leave."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr

from cli.output import emit_json, say, table
from shared.errors import NotFound
from shared.settings import PREFIX, Settings, config_file, load

MASK = "********"
_USERINFO = re.compile(r"(://)[^/@\s]+@")


def show(prefix: str, as_json: bool) -> None:
    """Print the settings whose name begins with `prefix`."""
    rows = [row for row in rows_of(load()) if row["name"].startswith(prefix.lower())]
    if not rows:
        raise NotFound(f"no setting begins with {prefix!r}: `sovereign config show` lists them")
    if as_json:
        emit_json(rows)
        return
    table(("setting", "value", "source", "variable"), [_row(row) for row in rows])
    path = config_file()
    say(f"file: {path.absolute()}{'' if path.exists() else ' (not there)'}")


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    """Return a row in the words in which the value would be set: `true`, not `True`."""
    value = row["value"]
    told = str(value).lower() if isinstance(value, bool) else value
    return (row["name"], told, row["source"], row["variable"])


def rows_of(settings: Settings) -> list[dict[str, Any]]:
    """Return name, value, source and variable of every setting, secrets masked."""
    file = _file()
    return [
        {
            "name": ".".join(path),
            "value": shown(value),
            "source": _source(path, file),
            "variable": variable(path),
        }
        for path, value in _leaves(settings, ())
    ]


def _leaves(model: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def variable(path: tuple[str, ...]) -> str:
    """Return the environment variable that sets this setting."""
    return PREFIX + "__".join(part.upper() for part in path)


def shown(value: Any) -> Any:
    """Return the value as plain data; secrets and passwords in URLs are masked."""
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, str):
        return _USERINFO.sub(rf"\1{MASK}@", value)
    if isinstance(value, BaseModel):
        return {name: shown(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, tuple):
        return [shown(one) for one in value]
    if value is None or isinstance(value, bool | int | float | dict | list):
        return value
    return str(value)


def _source(path: tuple[str, ...], file: dict[str, Any]) -> str:
    """Return `environment`, `file` or `default`; a group may be set as JSON in one variable."""
    names = {name.upper() for name in os.environ}
    alias = path == ("engine",)
    if variable(path) in names or (len(path) > 1 and variable(path[:1]) in names):
        return "environment"
    if alias and f"{PREFIX}ROUTER__ENGINE" in names:
        return "environment"
    if _has(file, path) or (alias and _has(file, ("router", "engine"))):
        return "file"
    return "default"


def _has(tree: Any, path: tuple[str, ...]) -> bool:
    for part in path:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True


def _file() -> dict[str, Any]:
    path = config_file()
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
