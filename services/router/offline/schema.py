"""Fill each kind of schema from facts of the text; what the text does not say is `MISSING`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from services.router.offline.facts import Facts, name_terms, numbers
from services.router.offline.items import Item
from services.router.offline.lists import listed
from services.router.offline.markup import Ask, Source
from services.router.offline.summary import summarise
from services.router.offline.words import stem, stem_set, tokens, word_set
from services.router.offline.work import work
from shared.errors import NeedsModel


class _Missing:
    """The mark of a value that the text does not give."""


MISSING: Final = _Missing()
_REFUSED = frozenset({"pattern", "patternProperties", "propertyNames", "$dynamicRef"})
_NAMED_SCHEMAS = ("properties", "$defs", "definitions")
_DEEPEST = 8
_YES = word_set("yes true done ja wahr enabled active healthy passed erledigt aktiv on")
_NO = word_set("no false not open nein falsch disabled inactive failed offen off none")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?")
_USUAL_LENGTH = 4000
_SUMMARY_NAMES = stem_set("summary overview abstract gist zusammenfassung")
_ANSWER_NAMES = stem_set(
    "answer result content text response output body findings markdown antwort"
)
_TITLE_NAMES = stem_set("title subject headline titel betreff")


def refused_word(schema: Any) -> str:
    """Return the first keyword that rules do not fill, or "": patterns, foreign references."""
    stack = [schema]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in _REFUSED or (key == "$ref" and not str(value).startswith("#")):
                    return str(key)
                if key in _NAMED_SCHEMAS and isinstance(value, dict):
                    stack.extend(value.values())
                elif key not in ("enum", "const", "default", "examples"):
                    stack.append(value)
    return ""


class Filler:
    """Fills one schema; `missing` names the required values that the text does not give."""

    def __init__(self, ask: Ask, sources: tuple[Source, ...], root: dict[str, Any]) -> None:
        self.ask = ask
        self.facts = Facts(sources)
        self.missing: list[str] = []
        self._root = root
        self._kinds: dict[str, Callable[[str, dict[str, Any], int], Any]] = {
            "object": self._object,
            "array": self._array,
            "string": self._string,
            "integer": self._number,
            "number": self._number,
            "boolean": self._boolean,
        }

    def value(self, name: str, schema: Any, depth: int) -> Any:
        """Return a value for the property `name`, or `MISSING`."""
        node = self._resolved(schema)
        if node is None or depth > _DEEPEST:
            return MISSING
        if "const" in node:
            return node["const"]
        if "enum" in node:
            return self._enum(name, node)
        for option in _options(node):
            found = self.value(name, option, depth + 1)
            if found is not MISSING:
                return found
        return self._typed(name, node, depth)

    def _typed(self, name: str, node: dict[str, Any], depth: int) -> Any:
        for kind in _types(node):
            fill = self._kinds.get(kind)
            found = fill(name, {**node, "type": kind}, depth) if fill else MISSING
            if found is not MISSING:
                return found
        return None if _takes_null(node) else MISSING

    def _resolved(self, schema: Any) -> dict[str, Any] | None:
        """Return the schema that a local reference means."""
        for _ in range(_DEEPEST):
            if not isinstance(schema, dict):
                return {} if schema is True else None
            if "$ref" not in schema:
                return schema
            schema = _local(self._root, str(schema["$ref"]))
        return None

    def _object(self, name: str, node: dict[str, Any], depth: int) -> Any:
        data: dict[str, Any] = {}
        required = node.get("required", [])
        for key, schema in node.get("properties", {}).items():
            found = self.value(key, schema, depth + 1)
            if found is not MISSING:
                data[key] = found
            elif key in required:
                self.missing.append(key)
        return data if all(key in data for key in required) and (data or not required) else MISSING

    def _array(self, name: str, node: dict[str, Any], depth: int) -> Any:
        items = self._resolved(node.get("items", {"type": "string"})) or {}
        rows = listed(name, self.ask, self.facts)
        if rows is None:
            return MISSING
        made = [self._entry(row, items, depth) for row in rows[: node.get("maxItems", 200)]]
        kept = [each for each in made if each is not MISSING]
        if len(kept) < len(made):
            return MISSING
        unique = [each for i, each in enumerate(kept) if each not in kept[:i]]
        return unique if len(unique) >= node.get("minItems", 0) else MISSING

    def _entry(self, item: Item, schema: dict[str, Any], depth: int) -> Any:
        """Return one array entry from one item: its title, or an object of its parts."""
        if "properties" not in schema:
            return self._text(item.title, schema) if "string" in _types(schema) else MISSING
        parts = _parts(item)
        inner = Filler(self.ask, (Source("document", item.source, parts),), self._root)
        return inner.value("", schema, depth + 1)

    def _string(self, name: str, node: dict[str, Any], depth: int) -> Any:
        wanted = set(name_terms(name))
        if node.get("format") in ("date", "date-time"):
            return self._date(name, node)
        found = self.facts.value(name)
        if found is None and wanted & _SUMMARY_NAMES:
            text = summarise(self.facts.sources, "") or ""
            found = " ".join(line.removeprefix("- ") for line in text.splitlines())
        if found is None and wanted & _ANSWER_NAMES:
            found = self._worked()
        if found is None and wanted & _TITLE_NAMES and self.facts.units:
            unit = self.facts.units[0]
            found = unit.path[0] if unit.path else unit.text
        return self._text(found or self.facts.word_after(name) or self._sentence(name), node)

    def _sentence(self, name: str) -> str | None:
        """Return the sentence that holds every word of a name, if there is one."""
        wanted = set(name_terms(name))
        near = self.facts.near(name)
        return near[0].text if near and wanted <= near[0].terms else None

    def _worked(self) -> str | None:
        try:
            return work(self.ask)
        except NeedsModel:
            return None

    def _text(self, text: str | None, node: dict[str, Any]) -> Any:
        longest = node.get("maxLength", _USUAL_LENGTH)
        if not text or len(text[:longest]) < max(1, node.get("minLength", 0)):
            return MISSING
        return text[:longest]

    def _date(self, name: str, node: dict[str, Any]) -> Any:
        texts = [self.facts.value(name) or "", *(u.text for u in self.facts.near(name)[:20])]
        match = next((m for m in map(_DATE.search, texts) if m), None)
        if match is None:
            return MISSING
        whole = match.group()
        return whole[:10] if node["format"] == "date" else whole if "T" in whole else MISSING

    def _number(self, name: str, node: dict[str, Any], depth: int) -> Any:
        """Return the nearest number that is in range; none is bent into the range."""
        for found in self.facts.number(name):
            if node["type"] == "integer" and not found.is_integer():
                continue
            if _in_range(found, node):
                return int(found) if found.is_integer() else found
        return MISSING

    def _boolean(self, name: str, node: dict[str, Any], depth: int) -> Any:
        words = set(tokens(self.facts.value(name) or ""))
        if words & _NO:
            return False
        return True if words & _YES else MISSING

    def _enum(self, name: str, node: dict[str, Any]) -> Any:
        """Return the one member that is mentioned under the name, else in the text at all."""
        members = node["enum"]
        near = [self.facts.value(name) or "", *(u.text for u in self.facts.near(name)[:5])]
        for text in [*near, " ".join(s.text for s in self.facts.sources)]:
            said = [member for member in members if _mentioned(member, text)]
            if len(said) == 1:
                return said[0]
        return None if None in members else MISSING


def _options(node: dict[str, Any]) -> list[Any]:
    """Return the alternatives of a schema."""
    for key in ("anyOf", "oneOf", "allOf"):
        if isinstance(node.get(key), list) and (key != "allOf" or len(node[key]) == 1):
            return list(node[key])
    return []


def _types(node: dict[str, Any]) -> Iterator[str]:
    kind = node.get("type") or ("object" if "properties" in node else "")
    yield from [kind] if isinstance(kind, str) else kind


def _takes_null(node: dict[str, Any]) -> bool:
    return "null" in list(_types(node))


def _local(root: dict[str, Any], reference: str) -> Any:
    """Return what `#/a/b` points to in the schema, or None."""
    node: Any = root
    for part in reference.removeprefix("#").strip("/").split("/"):
        if part:
            node = node.get(part) if isinstance(node, dict) else None
    return node


def _in_range(value: float, node: Mapping[str, Any]) -> bool:
    return (
        value >= node.get("minimum", value)
        and value <= node.get("maximum", value)
        and not value <= node.get("exclusiveMinimum", value - 1)
        and not value >= node.get("exclusiveMaximum", value + 1)
    )


def _mentioned(member: Any, text: str) -> bool:
    """Tell whether all words of an enum's member are words of the text."""
    if isinstance(member, bool) or member is None:
        return False
    if isinstance(member, int | float):
        return float(member) in numbers(text)
    words = {stem(word) for word in tokens(str(member).replace("_", " "))}
    return bool(words) and words <= {stem(word) for word in tokens(text)}


def _parts(item: Item) -> str:
    """Return an item as `key: value` lines for the filling of one object."""
    names = ("title", "name", "task", "item", "text", "quote", "statement", "description", "risk")
    lines = [f"{name}: {item.title}" for name in names]
    lines += [f"priority: {item.label}", f"label: {item.label}"] if item.label else []
    lines += [f"number: {item.number}"] if item.number is not None else []
    lines += [f"section: {' › '.join(item.path)}"] if item.path else []
    lines += [f"details: {'; '.join(text for _, text in item.details)}"] if item.details else []
    lines += [f"status: {item.state or 'open'}"]
    return "\n\n".join([*lines, *(text for _, text in item.details)])
