"""One description of the whole API from those of the services."""

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
`application/problem+json`. Every POST takes an `Idempotency-Key`: send the same key again to get the same answer and
no second effect.
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
        part = _renamed(copy.deepcopy(document), names[service])
        schemas = part.get("components", {}).get("schemas", {})
        for name, schema in schemas.items():
            merged["components"]["schemas"][names[service].get(name, name)] = schema
        for path, item in part.get("paths", {}).items():
            if path in merged["paths"]:
                continue
            merged["paths"][path] = item
            for method in METHODS:
                if method in item:
                    _dress(item[method], service, taken)
    for item in merged["paths"].values():
        for method in METHODS:
            if method in item:
                _exemplify(item[method], merged["components"]["schemas"])
    merged["tags"] = [{"name": tag} for tag in _tags(merged)]
    away = sorted(missing)
    if away:
        merged["x-kantis-missing"] = away
    return merged


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
            shapes = [
                _renamed(copy.deepcopy(schema), renamed[service]) for service, schema in users
            ]
            if any(shape != shapes[0] for shape in shapes):
                for service, _ in users:
                    renamed[service][name] = f"{service.capitalize()}{name}"
                changed = True
    return renamed


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str) and value.startswith(_REF):
                name = value[len(_REF) :]
                node[key] = _REF + names.get(name, name)
            else:
                _renamed(value, names)
        mapping = node.get("mapping")
        if isinstance(mapping, dict):
            for key, value in mapping.items():
                if isinstance(value, str) and value.startswith(_REF):
                    name = value[len(_REF) :]
                    mapping[key] = _REF + names.get(name, name)
    elif isinstance(node, list):
        for value in node:
            _renamed(value, names)
    return node


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
    body = content.get("application/json")
    if body is not None and "example" not in body and "examples" not in body:
        try:
            body["example"] = example_of(body.get("schema", {}), schemas)
        except Unknown:
            pass
    for parameter in operation.get("parameters", ()):
        wanting = parameter.get("required") and not {"example", "examples"} & parameter.keys()
        if wanting:
            try:
                parameter["example"] = example_of(parameter.get("schema", {}), schemas)
            except Unknown:
                continue


def _tags(document: Document) -> list[str]:
    found: dict[str, None] = {}
    for item in document["paths"].values():
        for method in METHODS:
            for tag in item.get(method, {}).get("tags", ()):
                found[tag] = None
    return list(found)
