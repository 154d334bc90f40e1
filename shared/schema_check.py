"""JSON Schemas from outside: can one be used, does a value meet it; both in bounded time.

A schema comes from whoever asks, so its patterns may take for ever, its references may lead
anywhere and its branches may multiply. Patterns run in the `regex` module, which takes a time-out,
and every keyword looks at the clock. Import this where it is needed: it costs time and memory.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import orjson
import regex
from jsonschema import Draft202012Validator, FormatChecker, ValidationError, validators
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

WITHIN_S = 0.2
"""Seconds of CPU that one validation may take, so that the loop it runs in stays on time.

CPU of this thread, not the wall: a machine with much else to do must not refuse a good schema."""

MAX_BYTES = 100_000
MAX_DEPTH = 64
MAX_PATTERN = 1_000
MAX_COPIES = 100_000
"""How often a pattern may write out a part: `(a{1000}){1000}` takes a second to compile."""

_COUNT = re.compile(r"\{(\d{1,9})")
_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_DATA = ("const", "default", "examples")
_end: ContextVar[float] = ContextVar("schema_check_end", default=math.inf)

Found = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Found | None]


class _TooSlow(Exception):
    """The time is up; says over what."""


def validate(instance: Any, schema: dict[str, Any]) -> str | None:
    """Return one line that names the path of the first thing wrong, or None for a valid value.

    A value that cannot be judged within `WITHIN_S` is not valid; nor is any under a schema that
    cannot be used.
    """
    wrong = usable(schema)
    return f"the schema: {wrong}" if wrong is not None else _first(instance, schema)


def usable(schema: dict[str, Any]) -> str | None:
    """Return one line that says why no answer can be checked with `schema`, or None."""
    try:
        text = orjson.dumps(schema)
    except orjson.JSONEncodeError:
        return "it is no JSON, or nested too deeply"
    if len(text) > MAX_BYTES:
        return f"{len(text)} bytes are too many, at most {MAX_BYTES}"
    return _usable(text)


@lru_cache(maxsize=256)
def _usable(text: bytes) -> str | None:
    """Judge one schema; the same few come again and again."""
    schema = orjson.loads(text)
    try:
        return next(_faults(schema, 0), None) or _meta(schema) or _trial(schema)
    except RecursionError:
        return "its $ref turn in a circle"


def _meta(schema: Any) -> str | None:
    try:
        Draft202012Validator.check_schema(schema, format_checker=FormatChecker(()))
    except SchemaError as error:
        return _line(f"{_place(error, 'it')}: {error.message}")
    return None


def _trial(schema: Any) -> str | None:
    """Follow the references once; that an empty object does not meet the schema is no fault."""
    try:
        _within(lambda: _checker(schema).is_valid({}))
    except (Unresolvable, _TooSlow) as error:
        return _line(str(error))
    return None


def _faults(node: Any, depth: int) -> Iterator[str]:
    """Yield what the meta-schema lets pass: depth, ways out, empty choices, hopeless patterns."""
    if depth > MAX_DEPTH:
        yield "it is nested too deeply"
        return
    if isinstance(node, list):
        for each in node:
            yield from _faults(each, depth + 1)
    if isinstance(node, dict):
        yield from _own_faults(node)
        for name, value in node.items():
            yield from _inner_faults(name, value, depth + 1)


def _inner_faults(name: str, value: Any, depth: int) -> Iterator[str]:
    if name in _MAPS and isinstance(value, dict):
        yield from _faults(list(value.values()), depth)
    elif name not in _DATA and name != "enum":
        yield from _faults(value, depth)


def _own_faults(node: dict[str, Any]) -> Iterator[str]:
    for name in ("$ref", "$dynamicRef"):
        reference = node.get(name)
        if isinstance(reference, str) and not reference.startswith("#"):
            yield f"{name} {reference[:80]} leads outside"
    if node.get("enum") == []:
        yield "enum is empty, so that no value meets it"
    named = node.get("patternProperties")
    patterns = [*(named if isinstance(named, dict) else ()), node.get("pattern")]
    for wrong in (_pattern_fault(text) for text in patterns if isinstance(text, str)):
        if wrong is not None:
            yield wrong
    if "unevaluatedProperties" in node and named:
        yield "unevaluatedProperties beside patternProperties is not supported"


def _pattern_fault(text: str) -> str | None:
    copies = math.prod(max(1, int(count)) for count in _COUNT.findall(text))
    if len(text) > MAX_PATTERN or copies > MAX_COPIES:
        return f"the pattern {_short(text)} is too long"
    try:
        _compiled(text)
    except (regex.error, RecursionError, OverflowError, ValueError) as error:
        return _line(f"the pattern {_short(text)} is wrong: {error}")
    return None


def _first(instance: Any, schema: dict[str, Any]) -> str | None:
    try:
        wrong = _within(lambda: next(_checker(schema).iter_errors(instance), None))
    except (_TooSlow, Unresolvable) as error:
        return _line(str(error))
    except RecursionError:
        return "the value or the schema turns in a circle"
    return None if wrong is None else _line(f"{_place(wrong, 'the answer')}: {wrong.message}")


def _within(work: Callable[[], Any]) -> Any:
    token = _end.set(time.thread_time() + WITHIN_S)
    try:
        return work()
    finally:
        _end.reset(token)


def _left(about: str) -> float:
    """Return the seconds that are left; raise when there are none."""
    left = _end.get() - time.thread_time()
    if left <= 0:
        raise _TooSlow(f"{about} is too slow: it took more than {WITHIN_S:g} s")
    return left


def _matches(pattern: str, text: str) -> bool:
    about = f"the pattern {_short(pattern)}"
    try:
        return _compiled(pattern).search(text, timeout=_left(about)) is not None
    except TimeoutError:
        raise _TooSlow(f"{about} is too slow: it took more than {WITHIN_S:g} s") from None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    return regex.compile(pattern, regex.VERSION0)


def _pattern(checker: Any, pattern: str, instance: Any, _: Any) -> Found:
    if checker.is_type(instance, "string") and not _matches(pattern, instance):
        yield ValidationError(f"{_short(instance)} does not match {_short(pattern)}")


def _named_by_pattern(checker: Any, patterns: Any, instance: Any, _: Any) -> Found:
    if not checker.is_type(instance, "object"):
        return
    for pattern, schema in patterns.items():
        for name, value in instance.items():
            if _matches(pattern, name):
                yield from checker.descend(value, schema, path=name, schema_path=pattern)


def _additional(checker: Any, wanted: Any, instance: Any, schema: Any) -> Found:
    if not checker.is_type(instance, "object"):
        return
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, value in instance.items():
        if name in known or any(_matches(pattern, name) for pattern in patterns):
            continue
        if wanted is False:
            yield ValidationError(f"{_short(name)} is a property that is not allowed")
        else:
            yield from checker.descend(value, wanted, path=name)


def _unique(checker: Any, wanted: Any, instance: Any, _: Any) -> Found:
    """Compare by hash: the library compares each with each once objects are among them."""
    if not wanted or not checker.is_type(instance, "array"):
        return
    if len({_frozen(each) for each in instance}) < len(instance):
        yield ValidationError("the same item stands in it twice")


def _frozen(value: Any) -> Any:
    """Return a hashable likeness: 1 is 1.0, but neither is `true`."""
    if isinstance(value, dict):
        return frozenset((name, _frozen(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(_frozen(each) for each in value)
    return ("bool", value) if isinstance(value, bool) else value


def _timed(keyword: Keyword) -> Keyword:
    def look(checker: Any, wanted: Any, instance: Any, schema: Any) -> Found | None:
        _left("the schema")
        return keyword(checker, wanted, instance, schema)

    return look


OWN: dict[str, Keyword] = {
    "pattern": _pattern,
    "patternProperties": _named_by_pattern,
    "additionalProperties": _additional,
    "uniqueItems": _unique,
}
_Checker: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {name: _timed(each) for name, each in {**Draft202012Validator.VALIDATORS, **OWN}.items()},
)


def _checker(schema: Any) -> Any:
    """Return a validator whose registry is empty, so that no `$ref` is ever fetched."""
    return _Checker(schema, registry=Registry())


def _place(error: Any, whole: str) -> str:
    return "/".join(str(part) for part in error.absolute_path) or whole


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else f"{text[:79]}…")


def _line(text: str) -> str:
    return " ".join(text.split())[:300]
