"""A working example request for every body that can have one.

An example that the schema gives wins; otherwise one is put together from what the fields say of themselves.
"""

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


def example_of(schema: Schema, schemas: dict[str, Schema]) -> Any:
    """Return a value that the schema accepts.

    Raises:
        Unknown: the schema says too little.
    """
    return _value(schema, schemas, 0)


def _value(schema: Schema, schemas: dict[str, Schema], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Unknown
    if "$ref" in schema:
        return _value(schemas.get(schema["$ref"].rsplit("/", 1)[-1], {}), schemas, depth + 1)
    for key in ("const", "example"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "default" in schema and schema["default"] is not None:
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _first(schema[key], schemas, depth)
    if "allOf" in schema:
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged.update(_value(part, schemas, depth + 1))
        return merged
    return _of_type(schema, schemas, depth)


def _first(choices: list[Schema], schemas: dict[str, Schema], depth: int) -> Any:
    for choice in choices:
        if choice.get("type") == "null":
            continue
        try:
            return _value(choice, schemas, depth + 1)
        except Unknown:
            continue
    raise Unknown


def _of_type(schema: Schema, schemas: dict[str, Schema], depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object":
        required = set(schema.get("required", ()))
        return {
            name: _value(inner, schemas, depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or _says_it(inner)
        }
    if kind == "array":
        if not schema.get("minItems"):
            return []
        return [_value(schema.get("items", {}), schemas, depth + 1)] * int(schema["minItems"])
    if kind in ("integer", "number"):
        return _number(schema)
    if kind == "string":
        return _text(schema)
    if kind == "boolean":
        return False
    if kind == "null":
        return None
    raise Unknown


def _says_it(schema: Schema) -> bool:
    return "examples" in schema or "example" in schema


def _number(schema: Schema) -> int | float:
    if "minimum" in schema:
        return schema["minimum"]  # type: ignore[no-any-return] # a number, by the schema of schemas
    if "exclusiveMinimum" in schema:
        return schema["exclusiveMinimum"] + 1  # type: ignore[no-any-return] # as above
    return 1


def _text(schema: Schema) -> str:
    if "pattern" in schema:
        raise Unknown
    if schema.get("format") in _FORMATS:
        return str(_FORMATS[schema["format"]])
    text = "example"
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength", 1_000)
    return text.ljust(shortest, "x")[:longest]
