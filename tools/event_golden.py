"""Golden files: an event of each type as it once left its producer, whole and signed.

`libs/contracts/golden/<type>/<n>.json` holds the CloudEvents attributes and the payload. `make events` writes the first
one of a new type, and the next one when the fields of a type are no longer those of its newest; what lies there is
never written again, for such events wait in queues and archives. Today's classes must read every one of them.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError

from kantis_contracts.base import Envelope, Event
from kantis_kit.brokers.wire import to_attributes
from kantis_kit.ids import first_id_at
from kantis_kit.signing import Keys

GOLDEN = "libs/contracts/golden"

MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LIKE = {"^[A-Z]{3}$": "NOK", "^[A-Z]{2}$": "NO", "^[0-9A-HJKMNP-TV-Z]{6,16}$": "ABCDE23456"}
"""A text for each pattern in use."""

Schema = Mapping[str, Any]


def keys_of(source: str) -> Keys:
    """Return the keys that golden files of a producer are signed with: they are no secret, and sign nothing else."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(source.encode()).digest())
    return Keys(private, {source: [private.public_key()]})


def payload(file: Mapping[str, Any]) -> bytes:
    """Return the payload of a golden file as it travelled."""
    return json.dumps(file["data"], ensure_ascii=False, separators=(",", ":")).encode()


def golden(event: type[Event]) -> dict[str, Any]:
    """Return an event of this type, always the same: the first item has everything, the second what it must have.

    Raises:
        ValueError: a field takes only values that nobody told us; its `Field(examples=[…])` would.
    """
    schema = event.model_json_schema()
    types = schema.get("$defs", {})
    data: dict[str, object] = {
        name: _value(one, types, name)
        for name, one in schema["properties"].items()
        if name != "items"
    }
    item = schema["properties"]["items"]["items"]
    data["items"] = [
        _value(item, types, "items"),
        _value(item, types, "second", whole=False),
    ]
    try:
        sent = event.model_validate_json(json.dumps(data))
    except ValidationError as error:
        names = ", ".join(".".join(map(str, one["loc"])) for one in error.errors())
        message = f"{event.type}: give {names} an example that is valid: Field(examples=[…])"
        raise ValueError(message) from error
    source = event.type.split(".", 1)[0]
    envelope = Envelope(
        id=_id(event.type),
        type=event.type,
        source=source,
        subject="golden",
        occurred_at=MOMENT,
        recorded_at=MOMENT + timedelta(milliseconds=1),
        correlation_id=_id("correlation"),
        causation_id=_id("causation"),
        traceparent=f"00-{hashlib.sha256(source.encode()).hexdigest()[:32]}-{'7' * 16}-01",
        data=sent.model_dump_json().encode(),
    )
    return {
        "attributes": to_attributes(keys_of(source).sign(envelope)),
        "data": json.loads(envelope.data),
    }


def _id(name: str) -> UUID:
    """Return a UUIDv7 of the golden moment, another one for each name."""
    salt = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")
    return UUID(int=first_id_at(MOMENT).int | salt)


def _value(schema: Schema, types: Schema, name: str, *, whole: bool = True) -> object:
    """Return a value that the schema takes."""
    if "$ref" in schema:
        schema = types[schema["$ref"].rsplit("/", 1)[1]]
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "anyOf" in schema:
        # What may be null is not: a null is what a consumer meets in the second item.
        filled = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return _value(filled[0], types, name, whole=whole)
    kind = schema.get("type")
    if kind == "array":
        return [_value(schema.get("items", {}), types, name, whole=whole)]
    if kind == "object":
        return _object(schema, types, name, whole=whole)
    return _plain(schema, name)


def _object(schema: Schema, types: Schema, name: str, *, whole: bool) -> dict[str, Any]:
    if "properties" not in schema:
        return {"key": _value(schema.get("additionalProperties", {}), types, name, whole=whole)}
    needed = schema.get("required", ())
    return {
        key: _value(one, types, key if whole else f"{name} {key}", whole=whole)
        for key, one in schema["properties"].items()
        if whole or key in needed
    }


def _plain(schema: Schema, name: str) -> object:
    if schema.get("type") == "string":
        return _text(schema, name)
    if schema.get("type") == "boolean":
        return True
    return max(2, schema.get("minimum", 2), schema.get("exclusiveMinimum", 1) + 1)


def _text(schema: Schema, name: str) -> str:
    of_format = {
        "uuid": str(_id(name)),
        "date-time": MOMENT.isoformat(),
        "date": MOMENT.date().isoformat(),
    }
    if "format" in schema:
        return of_format.get(schema["format"], name)
    if "pattern" in schema:
        return LIKE.get(schema["pattern"], name)
    return f"{name} æøåäö"[: schema.get("maxLength")]


def fields(node: object, at: str = "") -> Iterator[str]:
    """Yield the place of every field; the items of a list count as one."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield f"{at}.{key}"
            yield from fields(value, f"{at}.{key}")
    elif isinstance(node, list):
        for value in node:
            yield from fields(value, f"{at}[]")


def files_of(kind: str, root: Path) -> list[Path]:
    """Return the golden files of a type, oldest first."""
    return sorted((root / GOLDEN / kind).glob("*.json"), key=lambda file: int(file.stem))


def missing(events: Iterable[type[Event]], root: Path) -> dict[str, str]:
    """Return the golden files that are still to be written, by their path: of new types, and of new fields."""
    found = {}
    for event in events:
        there = files_of(event.type, root)
        now = golden(event)
        if there:
            newest = json.loads(there[-1].read_text(encoding="utf-8"))
            if set(fields(newest["data"])) == set(fields(now["data"])):
                continue
        number = int(there[-1].stem) + 1 if there else 1
        text = json.dumps(now, indent=2, ensure_ascii=False) + "\n"
        found[f"{GOLDEN}/{event.type}/{number}.json"] = text
    return found


def forgotten(events: Iterable[type[Event]], root: Path) -> list[str]:
    """Say which golden files no class can read any longer."""
    known = {event.type for event in events}
    return [
        f"{GOLDEN}/{folder.name}: no class has this type; remove the folder when no queue binds it any longer"
        for folder in sorted((root / GOLDEN).glob("*/"))
        if folder.name not in known
    ]
