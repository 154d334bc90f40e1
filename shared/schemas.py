"""Makes `docs/events/*.json`, `docs/asyncapi.json` and `docs/settings.md` from the contract.

`python -m shared.schemas [FOLDER]` writes them; a test fails when they differ from the code.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared import events, settings_page
from shared.contract import CHANNELS, Channel

REF = "#/components/schemas/{model}"


def documents() -> dict[str, str]:
    """Return path under `docs/` to text, for every generated file."""
    files = {f"events/{name}.json": _text(_schema(model)) for name, model in _bodies().items()}
    return files | {"asyncapi.json": _text(asyncapi()), "settings.md": settings_page.page()}


def asyncapi() -> dict[str, Any]:
    """Return the AsyncAPI 3.0 document of the whole bus."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Sovereign", "version": "1", "description": "Plain JSON over NATS."},
        "defaultContentType": "application/json",
        "channels": {channel.subject: _channel(channel) for channel in CHANNELS},
        "operations": {_operation(c): _operation_body(c) for c in CHANNELS},
        "components": {"schemas": _components()},
    }


def write(folder: Path) -> None:
    """Write every document below `folder`."""
    for name, text in documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _bodies() -> dict[str, type[BaseModel]]:
    found = {name: getattr(events, name) for name in events.__all__}
    return {n: m for n, m in found.items() if isinstance(m, type) and issubclass(m, BaseModel)}


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return draft | model.model_json_schema(mode="validation")


def _components() -> dict[str, Any]:
    from pydantic.json_schema import models_json_schema

    pairs = [(model, "validation") for model in _bodies().values()]
    _, schema = models_json_schema(pairs, ref_template=REF)  # type: ignore[arg-type]
    return dict(schema["$defs"])


def _channel(channel: Channel) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", channel.subject)
    messages = {channel.body.__name__: _message(channel.body)}
    if channel.reply is not None:
        messages[channel.reply.__name__] = _message(channel.reply)
    return {
        "address": channel.subject,
        "description": f"{channel.about} ({channel.carrier})",
        "parameters": {name: {"description": "^[A-Za-z0-9_-]{1,64}$"} for name in names},
        "messages": messages,
    }


def _message(model: type[BaseModel]) -> dict[str, Any]:
    return {
        "name": model.__name__,
        "summary": (model.__doc__ or "").strip().split("\n")[0],
        "payload": {"$ref": REF.format(model=model.__name__)},
    }


def _operation(channel: Channel) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", channel.subject).strip("_")


def _operation_body(channel: Channel) -> dict[str, Any]:
    pointer = channel.subject.replace("~", "~0").replace("/", "~1")
    reference = {"$ref": f"#/channels/{pointer}"}
    body: dict[str, Any] = {
        "action": "receive",
        "channel": reference,
        "summary": f"{channel.publisher} -> {channel.consumer}",
    }
    return body | ({"reply": {"channel": reference}} if channel.reply else {})


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "docs"))
