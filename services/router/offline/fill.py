"""Fill a JSON Schema from the text: only values that the text gives, always valid."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from referencing import Registry
from referencing.exceptions import Unresolvable

from services.router.offline.markup import Ask
from services.router.offline.schema import MISSING, Filler, refused_word
from services.router.offline.work import nothing_given, texts
from shared.errors import NeedsModel

_MOST_CHARS = 50_000


def filled(ask: Ask, schema: dict[str, Any]) -> Any:
    """Return data that meets `schema`, every value from the text; else raise `NeedsModel`."""
    _check(schema)
    sources = texts(ask)
    if not sources:
        raise NeedsModel(nothing_given(ask))
    filler = Filler(ask, sources, schema)
    value = filler.value("", schema, 0)
    if value is MISSING:
        missing = ", ".join(dict.fromkeys(filler.missing)) or "the schema"
        raise NeedsModel(f"the text does not say: {missing}"[:300])
    try:
        Draft202012Validator(schema, registry=Registry()).validate(value)
    except Exception as error:
        line = str(error).partition("\n")[0]
        raise NeedsModel(f"rules cannot fill this schema: {line}"[:300]) from None
    return value


def _check(schema: dict[str, Any]) -> None:
    """Refuse schemas that rules cannot promise to meet: too large, patterns, foreign references."""
    try:
        size = len(json.dumps(schema))
        word = refused_word(schema)
        Draft202012Validator.check_schema(schema)
    except (SchemaError, Unresolvable, RecursionError, ValueError, TypeError) as error:
        line = str(error).partition("\n")[0]
        raise NeedsModel(f"rules cannot read this schema: {line}"[:300]) from None
    if size > _MOST_CHARS or word:
        raise NeedsModel(f"rules do not fill a schema with {word or f'{size} characters'}")
