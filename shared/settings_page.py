"""Makes `docs/settings.md` from the settings themselves, so that it cannot lie."""

from __future__ import annotations

import inspect
import json
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.settings import PREFIX, Group, Settings

HEAD = """# Settings

Every setting is an environment variable, or a line in `sovereign.toml` in the folder where you
start (or in the file that `SOVEREIGN_CONFIG` names).
The environment wins over the file, the file over the default.
A wrong or misspelt one is refused with one line that names it.
`sovereign config show` prints each value and where it comes from.

```toml
engine = "ollama"

[router]
model = "llama3.1:8b"

[dashboard]
port = 8400
```

This page is generated from the code (`make docs`).
"""


def page() -> str:
    """Return the text of the page: general settings first, then a table a group."""
    groups = {n: f for n, f in Settings.model_fields.items() if _is_group(f)}
    general = {n: f for n, f in Settings.model_fields.items() if n not in groups}
    parts = [HEAD, _section("General", "", general, PREFIX)]
    for name, info in groups.items():
        model: Any = info.annotation
        about = inspect.cleandoc(model.__doc__ or "")
        parts.append(_section(name, about, model.model_fields, f"{PREFIX}{name.upper()}__"))
    return "\n".join(parts)


def _is_group(info: FieldInfo) -> bool:
    return isinstance(info.annotation, type) and issubclass(info.annotation, Group)


def _section(name: str, about: str, fields: dict[str, FieldInfo], prefix: str) -> str:
    rows = [f"| `{prefix}{n.upper()}` | {_kind(f.annotation)} | {_default(f)} |"
            for n, f in fields.items()]  # fmt: skip
    head = f"## {name[0].upper()}{name[1:]}\n"
    table = ["| variable | values | default |", "|---|---|---|", *rows, ""]
    return "\n".join([head, *([about + "\n"] if about else []), *table])


def _kind(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) in (Union, types.UnionType):
        return _kind(next(part for part in get_args(annotation) if part is not type(None)))
    if get_origin(annotation) is tuple:
        return "list"
    plain = {str: "text", int: "whole number", float: "number", bool: "`true`, `false`"}
    named = {Path: "path"}
    return plain.get(annotation) or named.get(annotation) or _named(annotation)


def _named(annotation: Any) -> str:
    if get_origin(annotation) is dict:
        return "name = value"
    if get_origin(annotation) is tuple:
        return "JSON list"
    return {"Decimal": "decimal", "SecretStr": "secret"}.get(annotation.__name__, "text")


def _default(info: FieldInfo) -> str:
    if info.default_factory is not None:
        return "none" if info.default_factory is dict else "this machine's name"
    if info.default is None or isinstance(info.default, BaseModel):
        return "not set"
    value = info.default
    if isinstance(value, tuple):
        return f"`{json.dumps(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
