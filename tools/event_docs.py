"""Writes what the events look like, from kantis_contracts and the code of the services.

    python tools/event_docs.py            docs/events.md, docs/asyncapi.json, libs/contracts/schemas/<type>.json, and
                                          the golden files that are missing (event_golden)
    python tools/event_docs.py --check    writes nothing; fails when a file is not what the code says

A schema that lies there already is what others rely on: a change that breaks it is refused. Make a new class
(`…V2`), stage both, and remove the old class, its schema file and its golden files when no queue binds it any longer.
An event that has never left anybody's machine may have its files removed by hand.
"""

import ast
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import event_golden
import kantis_contracts
from event_compat import breaking_changes
from kantis_contracts.base import REGISTRY, Envelope, Event

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = "libs/contracts/schemas"


@dataclass(slots=True)
class Wiring:
    """Who publishes and who consumes each event class, by class name."""

    published: dict[str, set[str]] = field(default_factory=dict)
    consumed: dict[str, set[str]] = field(default_factory=dict)


def published_events() -> list[type[Event]]:
    """Import every module of the contracts and return its event classes, in the order of their types."""
    for module in pkgutil.walk_packages(kantis_contracts.__path__, "kantis_contracts."):
        importlib.import_module(module.name)
    # Tests declare events of their own; those belong to nobody's documents.
    return [
        one for _, one in sorted(REGISTRY.items()) if one.__module__.startswith("kantis_contracts.")
    ]


def producer(event: type[Event]) -> str:
    """Return the service whose fact it is: the first word of the type."""
    return event.type.split(".", 1)[0]


def read_wiring(services: Path) -> Wiring:
    """Read from the source who stages and who consumes what; nothing of the services is imported."""
    wiring = Wiring()
    for file in sorted(services.glob("*/src/**/*.py")):
        service = file.relative_to(services).parts[0]
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if file.name == "events.py" or file.parent.name == "events":
            for name in _built_classes(tree):
                wiring.published.setdefault(name, set()).add(service)
        for name, queue in _subscriptions(tree):
            wiring.consumed.setdefault(name, set()).add(queue)
    return wiring


def _built_classes(tree: ast.Module) -> set[str]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    # An event whose items are JSON already names its class first: Encoded(PersonChangedV1, …).
    ready = [call.args[0] for call in calls if _last(call.func) == "Encoded" and call.args]
    named = {_last(node) for one in ready for node in ast.walk(one) if isinstance(node, ast.Name)}
    return {_last(call.func) for call in calls} | named


def _subscriptions(tree: ast.Module) -> Iterable[tuple[str, str]]:
    """Yield (event class, queue) for each `@consumes(Event, queue=…)`."""
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _last(node.func) == "consumes" and node.args):
            continue
        queues = [word.value for word in node.keywords if word.arg == "queue"]
        for queue in queues:
            value = (
                constants.get(queue.id)
                if isinstance(queue, ast.Name)
                else getattr(queue, "value", None)
            )
            yield _last(node.args[0]), str(value)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def schema_of(event: type[Event]) -> dict[str, Any]:
    """Return the JSON schema of an event's payload, as it is committed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:kantis:event:{event.type}",
        **event.model_json_schema(),
    }


def render(events: list[type[Event]], wiring: Wiring) -> dict[str, str]:
    """Return every generated file as text, by its path in the repository."""
    files = {f"{SCHEMAS}/{event.type}.json": _json(schema_of(event)) for event in events}
    files["docs/asyncapi.json"] = _json(asyncapi(events, wiring))
    files["docs/events.md"] = events_page(events, wiring)
    return files


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def meaning(event: type[Event]) -> str:
    """Return the first line of the docstring; an event without one of its own says nothing."""
    own = event.__dict__.get("__doc__") or ""
    return inspect.cleandoc(own).split("\n", 1)[0]


def item_class(event: type[Event]) -> type[BaseModel] | None:
    """Return what `items` holds, when it is one class."""
    held = [
        one for one in get_args(event.model_fields["items"].annotation) if isinstance(one, type)
    ]
    return held[0] if held and issubclass(held[0], BaseModel) else None


def _fields(model: type[BaseModel] | None) -> str:
    if model is None:
        return "–"
    names = [
        f"`{name}`" + ("" if one.is_required() else "?")
        for name, one in model.model_fields.items()
        if name != "items"
    ]
    return ", ".join(names) or "–"


def events_page(events: list[type[Event]], wiring: Wiring) -> str:
    """Return docs/events.md."""
    lines = [
        "# Events",
        "",
        "Generated by `make events` from `kantis_contracts` and the services; do not edit. An event is a fact about 1",
        "to 1,000 items; what they share stands beside them. Its JSON schema is `libs/contracts/schemas/<type>.json`,",
        "the whole as AsyncAPI 3 is [asyncapi.json](asyncapi.json). `?` marks a field with a default.",
    ]
    for name in sorted({producer(event) for event in events}):
        lines += [
            "",
            f"## {name}",
            "",
            "| event | means | shared fields | each item | published by | consumed by |",
        ]
        lines += ["|---|---|---|---|---|---|"]
        for event in events:
            if producer(event) != name:
                continue
            by = ", ".join(sorted(wiring.published.get(event.__name__, ()))) or "–"
            queues = (
                ", ".join(f"`{queue}`" for queue in sorted(wiring.consumed.get(event.__name__, ())))
                or "–"
            )
            cells = [
                f"`{event.type}`<br>{event.__name__}",
                meaning(event).replace("|", "\\|"),
                _fields(event),
                _fields(item_class(event)),
                by,
                queues,
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def asyncapi(events: list[type[Event]], wiring: Wiring) -> dict[str, Any]:
    """Return the AsyncAPI 3 document: a channel per event type, an operation per publisher and per queue."""
    models: list[type[BaseModel]] = [Envelope, *events]
    _, shared = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas = shared["$defs"]
    headers = {
        "type": "object",
        "description": "CloudEvents 1.0 attributes and our extensions.",
        "properties": {
            name: one for name, one in schemas["Envelope"]["properties"].items() if name != "data"
        },
        "required": [name for name in schemas["Envelope"]["required"] if name != "data"],
    }
    del schemas["Envelope"]
    channels, messages, operations = {}, {}, {}
    for event in events:
        kind = event.type
        messages[kind] = {
            "name": kind,
            "title": event.__name__,
            "summary": meaning(event),
            "contentType": "application/json",
            "headers": {"$ref": "#/components/schemas/CloudEvent"},
            "payload": {"$ref": f"#/components/schemas/{event.__name__}"},
        }
        channels[kind] = {
            "address": kind,
            "description": "The routing key is the type.",
            "messages": {kind: {"$ref": f"#/components/messages/{kind}"}},
        }
        uses = [(service, "send") for service in sorted(wiring.published.get(event.__name__, ()))]
        uses += [(queue, "receive") for queue in sorted(wiring.consumed.get(event.__name__, ()))]
        for who, action in uses:
            operations[f"{who}.{action}.{kind}"] = {
                "action": action,
                "channel": {"$ref": f"#/channels/{kind}"},
                "messages": [{"$ref": f"#/channels/{kind}/messages/{kind}"}],
            }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Kantis events",
            "version": "1",
            "description": "Facts that cross services, at least once and in any order; the event id tells a repetition.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": {**schemas, "CloudEvent": headers}},
    }


def problems(files: Mapping[str, str], root: Path) -> list[str]:
    """Say what the committed schemas forbid: a change that breaks one, and a type that lost its class."""
    found = []
    for path in sorted((root / SCHEMAS).glob("*.json")):
        name = f"{SCHEMAS}/{path.name}"
        if name not in files:
            found.append(
                f"{name}: no class has this type; remove the file when no queue binds it any longer"
            )
            continue
        old = json.loads(path.read_text(encoding="utf-8"))
        found += [f"{name}: {one}" for one in breaking_changes(old, json.loads(files[name]))]
    return found


def outdated(files: Mapping[str, str], root: Path) -> list[str]:
    """Return the generated files that are not as the code says."""
    return [
        path
        for path, text in files.items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != text
    ]


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Write or check the files; return 1 when something is refused."""
    events = published_events()
    files = render(events, read_wiring(root / "services"))
    refused = problems(files, root) + event_golden.forgotten(events, root)
    for problem in refused:
        print(problem, file=sys.stderr)
    if refused:
        print(
            "A breaking change is a new class (…V2): stage both until no queue binds the old one.",
            file=sys.stderr,
        )
        return 1
    files |= event_golden.missing(events, root)
    changed = outdated(files, root)
    if "--check" in arguments:
        for path in changed:
            print(f"{path} is not what the code says: run  make events", file=sys.stderr)
        return int(bool(changed))
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(files[path], encoding="utf-8")
        print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
