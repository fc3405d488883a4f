"""One description of the whole API from those of the services."""

import contextlib
import copy
from collections.abc import Iterable, Mapping
from typing import Any

from gateway.docs.examples import Unknown, example_of

Document = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "patch", "head", "options", "trace")
_REF = "#/components/schemas/"
DESCRIPTION = """\
Direct marketing that never mails anyone twice or against their wish.

Send an API key as `Authorization: Bearer kantis_…`; `kantis keys create --role ROLE` makes one. Every refusal is
`application/problem+json`. Every POST, PUT, PATCH and DELETE takes an `Idempotency-Key`: send the same request with the
same key again to get the same answer and no second effect.
"""


def merge(documents: Mapping[str, Document], *, missing: Iterable[str] = ()) -> Document:
    """Merge the services' descriptions, by name of service; `missing` lists those that could not be asked.

    A schema whose name two services use for different things gets the service's name in front. Operation ids are unique.
    """
    names = _schema_names(documents)
    merged: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Kantis", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "paths": {},
        "components": {
            "schemas": {},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "tags": [],
    }
    taken: set[str] = set()
    for service, document in documents.items():
        part = copy.deepcopy(document)
        _rename(part, names[service])
        for name, schema in part.get("components", {}).get("schemas", {}).items():
            merged["components"]["schemas"][names[service].get(name, name)] = schema
        for path, item in part.get("paths", {}).items():
            if path not in merged["paths"]:
                merged["paths"][path] = item
                for operation in _operations(item):
                    _dress(operation, service, taken)
    tags: dict[str, None] = {}
    for item in merged["paths"].values():
        for operation in _operations(item):
            _exemplify(operation, merged["components"]["schemas"])
            tags.update(dict.fromkeys(operation["tags"]))
    merged["tags"] = [{"name": tag} for tag in tags]
    away = sorted(missing)
    if away:
        merged["x-kantis-missing"] = away
    return merged


def _operations(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [item[method] for method in METHODS if method in item]


def _schema_names(documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    """Return per service which schemas are called otherwise in the merged description."""
    seen: dict[str, list[tuple[str, Any]]] = {}
    for service, document in documents.items():
        for name, schema in document.get("components", {}).get("schemas", {}).items():
            seen.setdefault(name, []).append((service, schema))
    renamed: dict[str, dict[str, str]] = {service: {} for service in documents}
    # A schema is another one, too, when what it refers to is: so look again until nothing changes.
    changed = True
    while changed:
        changed = False
        for name, users in seen.items():
            if len(users) < 2 or name in renamed[users[0][0]]:  # noqa: PLR2004 - two make a clash
                continue
            shapes = [copy.deepcopy(schema) for _, schema in users]
            for (service, _), shape in zip(users, shapes, strict=True):
                _rename(shape, renamed[service])
            if any(shape != shapes[0] for shape in shapes):
                for service, _ in users:
                    renamed[service][name] = f"{service.capitalize()}{name}"
                changed = True
    return renamed


def _rename(node: object, names: Mapping[str, str]) -> None:
    """Let references follow their schemas to the new names, in place."""
    if isinstance(node, list):
        for value in node:
            _rename(value, names)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        # A discriminator's mapping holds references as plain values.
        if isinstance(value, str) and value.startswith(_REF):
            name = value[len(_REF) :]
            node[key] = _REF + names.get(name, name)
        else:
            _rename(value, names)


def _dress(operation: dict[str, Any], service: str, taken: set[str]) -> None:
    wanted = f"{service}_{operation.get('operationId', 'operation')}"
    unique, number = wanted, 2
    while unique in taken:
        unique, number = f"{wanted}_{number}", number + 1
    taken.add(unique)
    operation["operationId"] = unique
    operation["tags"] = [f"{service}: {tag}" for tag in operation.get("tags", [])] or [service]


def _exemplify(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    wanting = [
        parameter for parameter in operation.get("parameters", ()) if parameter.get("required")
    ]
    if "application/json" in content:
        wanting.append(content["application/json"])
    for one in wanting:
        if not {"example", "examples"} & one.keys():
            with contextlib.suppress(Unknown):
                one["example"] = example_of(one.get("schema", {}), schemas)
