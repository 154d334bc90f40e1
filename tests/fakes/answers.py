"""What the fake model says: quotes of what it was given, or a valid instance of a schema."""

import re
from typing import Any

TAG = re.compile(r"<(task|instruction|input|document)\b[^>]*>(.*?)</\1>", re.S)
WORD = re.compile(r"\S+\s*")
LIMIT = 6


def text(messages: list[dict[str, Any]]) -> str:
    """Quote the first lines of the last user message: the task, then what came with it."""
    prompt = last_user(messages)
    parts = dict(reversed(TAG.findall(prompt)))
    task = first_line(parts.get("task") or parts.get("instruction") or prompt)
    given = parts.get("document") or parts.get("input") or ""
    quoted = [line.strip(" -*#\t") for line in given.splitlines() if line.strip(" -*#\t")]
    points = "\n".join(f"- {line}" for line in quoted[:LIMIT])
    return f"Answer to: {task}" + (f"\n\nFrom what was given:\n{points}" if points else "")


def last_user(messages: list[dict[str, Any]]) -> str:
    said = [m.get("content") or "" for m in messages if m.get("role") == "user"]
    return said[-1] if said else ""


def first_line(value: str) -> str:
    lines = [line.strip() for line in value.strip().splitlines() if line.strip()]
    return lines[0][:200] if lines else "nothing"


def pieces(answer: str) -> list[str]:
    """Cut an answer into tokens as the wire sends them: words with the space behind them."""
    return WORD.findall(answer) or [answer]


def instance(schema: dict[str, Any], prompt: str) -> Any:
    """Return a value that meets the schema, with words of the prompt where it may have them."""
    return _Filler(schema, first_line(_task(prompt))).value(schema, "", 0)


def _task(prompt: str) -> str:
    found = dict(reversed(TAG.findall(prompt)))
    return found.get("task") or prompt


class _Filler:
    """Fills one schema: object, array, string, enum, number, boolean, `$ref` inside, anyOf."""

    def __init__(self, root: dict[str, Any], line: str) -> None:
        self.root = root
        self.line = line

    def value(self, schema: dict[str, Any], name: str, index: int) -> Any:
        schema = self.resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.choice(schema["enum"], index)
        kind = schema.get("type") or ("object" if "properties" in schema else "string")
        kind = kind[0] if isinstance(kind, list) else kind
        return getattr(self, f"_{kind}")(schema, name, index)

    def resolve(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            found: Any = self.root
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        for word in ("anyOf", "oneOf", "allOf"):
            if word in schema:
                return self.resolve(schema[word][0])
        return schema

    def choice(self, options: list[Any], index: int) -> Any:
        said = [o for o in options if isinstance(o, str) and o.lower() in self.line.lower()]
        return (said or options)[index % len(said or options)]

    def _object(self, schema: dict[str, Any], name: str, index: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        return {key: self.value(sub, key, index) for key, sub in properties.items()}

    def _array(self, schema: dict[str, Any], name: str, index: int) -> list[Any]:
        items = self.resolve(schema.get("items", {"type": "string"}))
        wanted = 2 if items.get("type") == "object" else 0
        count = min(max(schema.get("minItems", 0), wanted), schema.get("maxItems", 99))
        return [self.value(items, name, i) for i in range(count)]

    def _string(self, schema: dict[str, Any], name: str, index: int) -> str:
        if name == "id" or name.endswith("_id"):
            return f"s{index + 1}"
        words = f"{name}: {self.line}" if name else self.line
        if "pattern" in schema and not re.search(schema["pattern"], words):
            words = f"{name or 'a'}{index + 1}"
        return words[: schema.get("maxLength", 200)].ljust(schema.get("minLength", 0), ".")

    def _integer(self, schema: dict[str, Any], name: str, index: int) -> int:
        return int(min(max(schema.get("minimum", 0), 1), schema.get("maximum", 1)))

    def _number(self, schema: dict[str, Any], name: str, index: int) -> float:
        return float(min(max(schema.get("minimum", 0.0), 0.5), schema.get("maximum", 0.5)))

    def _boolean(self, schema: dict[str, Any], name: str, index: int) -> bool:
        return True

    def _null(self, schema: dict[str, Any], name: str, index: int) -> None:
        return None
