"""A working example request for every body that can have one.

An example that the schema gives wins; otherwise one is put together from what the fields say of themselves.
"""

from collections.abc import Callable
from typing import Any

MAX_DEPTH = 12
_FORMATS: dict[str, Any] = {
    "uuid": "01930000-0000-7000-8000-000000000001",
    "date": "2026-03-02",
    "date-time": "2026-03-02T09:00:00Z",
    "time": "09:00:00",
    "email": "kari.nordmann@example.no",
    "uri": "https://example.no/",
    "duration": "PT1H",
    "binary": "",
}
Schema = dict[str, Any]


class Unknown(Exception):
    """No example can be made for this schema."""


def example_of(schema: Schema, schemas: dict[str, Schema]) -> object:
    """Return a value that the schema accepts.

    Raises:
        Unknown: the schema says too little.
    """
    return _value(schema, schemas, 0)


def _value(schema: Schema, schemas: dict[str, Schema], depth: int) -> object:
    if depth > MAX_DEPTH:
        raise Unknown
    if "$ref" in schema:
        return _value(schemas.get(schema["$ref"].rsplit("/", 1)[-1], {}), schemas, depth + 1)
    said = _said(schema)
    if said:
        return said[0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _first(schema[key], schemas, depth)
    if "allOf" in schema:
        merged: dict[str, object] = {}
        for part in schema["allOf"]:
            inner = _value(part, schemas, depth + 1)
            merged.update(inner if isinstance(inner, dict) else {})
        return merged
    return _of_type(schema, schemas, depth)


def _said(schema: Schema) -> list[object]:
    """Return what the schema itself names as a value, if it does."""
    for key in ("const", "example"):
        if key in schema:
            return [schema[key]]
    for key in ("examples", "enum"):
        if schema.get(key):
            return [schema[key][0]]
    return [schema["default"]] if schema.get("default") is not None else []


def _first(choices: list[Schema], schemas: dict[str, Schema], depth: int) -> object:
    for choice in choices:
        if choice.get("type") == "null":
            continue
        try:
            return _value(choice, schemas, depth + 1)
        except Unknown:
            continue
    raise Unknown


def _of_type(schema: Schema, schemas: dict[str, Schema], depth: int) -> object:
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, schemas, depth)
    if kind == "array":
        count = int(schema.get("minItems", 0))
        return [_value(schema.get("items", {}), schemas, depth + 1)] * count if count else []
    simple: dict[str, Callable[[Schema], object]] = {
        "integer": _number,
        "number": _number,
        "string": _text,
        "boolean": _flag,
    }
    if not isinstance(kind, str) or kind not in simple:
        raise Unknown
    return simple[kind](schema)


def _object(schema: Schema, schemas: dict[str, Schema], depth: int) -> object:
    required = set(schema.get("required", ()))
    made = {
        name: _value(inner, schemas, depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if name in required or "examples" in inner or "example" in inner
    }
    others = schema.get("additionalProperties")
    if len(made) < schema.get("minProperties", 0) and isinstance(others, dict):
        name = _value(schema.get("propertyNames", {"const": "example"}), schemas, depth + 1)
        made[str(name)] = _value(others, schemas, depth + 1)
    if len(made) < schema.get("minProperties", 0):
        raise Unknown
    return made


def _number(schema: Schema) -> object:
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1
    return schema.get("minimum", 1)


def _flag(_schema: Schema) -> object:
    return False


def _text(schema: Schema) -> str:
    if "pattern" in schema:
        raise Unknown
    if schema.get("format") in _FORMATS:
        return str(_FORMATS[schema["format"]])
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 1_000)
    return "example".ljust(shortest, "x")[:longest]
