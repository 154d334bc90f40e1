"""Writes `shared/events/__init__.py`: every body by name, imported when it is first used.

Run as `python -m shared.event_names` after a body was added.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path

HEAD = '''"""All bodies of the bus, in plain JSON; one file a part of the house.

Made by `python -m shared.event_names`. A file is imported when a name of it is first used, so
that a short command does not pay for what it never says.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
'''
TAIL = '''

def __getattr__(name: str) -> Any:
    """Import the file that holds `name`, and keep what was asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
'''


def text(folder: Path) -> str:
    """Return the whole file for the bodies of `folder`."""
    names = {
        path.stem: _public(path) for path in sorted(folder.glob("*.py")) if path.stem != "__init__"
    }
    imports = "".join(_import(module, found) for module, found in names.items() if found)
    homes = {name: module for module, found in names.items() for name in found}
    ordered = sorted(homes, key=lambda name: (not name.isupper(), name))
    rows = "".join(f"    {json.dumps(name)}: {json.dumps(homes[name])},\n" for name in ordered)
    every = "".join(f"    {json.dumps(name)},\n" for name in ordered)
    return f"{HEAD}{imports}\n_HOMES = {{\n{rows}}}\n\n__all__ = [\n{every}]\n{TAIL}"


def _public(path: Path) -> list[str]:
    """Return the classes of a file, and the names that it assigns with a capital letter."""
    found: list[str] = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [one.id for one in node.targets if isinstance(one, ast.Name)]
    return [name for name in found if name[0].isupper()]


def _import(module: str, names: list[str]) -> str:
    lines = "".join(f"        {name},\n" for name in sorted(names, key=_alphabet))
    return f"    from shared.events.{module} import (\n{lines}    )\n"


def _alphabet(name: str) -> tuple[bool, str]:
    """Return the key of the order that the linter wants in an import."""
    return not name.isupper(), name.lower()


if __name__ == "__main__":
    here = Path(__file__).parent / "events"
    (here / "__init__.py").write_text(text(here), encoding="utf-8")
