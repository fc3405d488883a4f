"""The generated documents say what the code says, and AsyncAPI tools can read them."""

import re
from pathlib import Path
from textwrap import dedent

import jsonschema
import pytest

import event_docs
from kantis_contracts.base import MAX_ITEMS, Event, Item

EVENTS = event_docs.published_events()
by_type = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.type)

REFERENCE = {
    "type": "object",
    "properties": {"$ref": {"type": "string", "pattern": "^#/"}},
    "required": ["$ref"],
    "additionalProperties": False,
}
ASYNCAPI_3 = {
    "type": "object",
    "required": ["asyncapi", "info", "channels", "operations", "components"],
    "additionalProperties": False,
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "defaultContentType": {"type": "string"},
        "info": {
            "type": "object",
            "required": ["title", "version"],
            "properties": {"title": {"type": "string"}, "version": {"type": "string"}},
        },
        "channels": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "type": "object",
                "required": ["address", "messages"],
                "properties": {
                    "address": {"type": "string"},
                    "description": {"type": "string"},
                    "messages": {"type": "object", "additionalProperties": REFERENCE},
                },
                "additionalProperties": False,
            },
        },
        "operations": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["action", "channel", "messages"],
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": REFERENCE,
                    "messages": {"type": "array", "items": REFERENCE, "minItems": 1},
                },
                "additionalProperties": False,
            },
        },
        "components": {
            "type": "object",
            "required": ["messages", "schemas"],
            "additionalProperties": False,
            "properties": {
                "messages": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "required": ["name", "payload", "headers", "contentType"],
                        "properties": {
                            "name": {"type": "string"},
                            "title": {"type": "string"},
                            "summary": {"type": "string", "minLength": 1},
                            "contentType": {"const": "application/json"},
                            "headers": REFERENCE,
                            "payload": REFERENCE,
                        },
                        "additionalProperties": False,
                    },
                },
                "schemas": {"type": "object", "additionalProperties": {"type": "object"}},
            },
        },
    },
}


def references(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [one for value in node.values() for one in references(value)]
    return [one for value in node for one in references(value)] if isinstance(node, list) else []


def resolve(document: dict, reference: str) -> object:
    node: object = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]  # type: ignore[index]
    return node


def wired() -> event_docs.Wiring:
    name = EVENTS[0].__name__
    return event_docs.Wiring({name: {"contacts-svc"}}, {name: {"analytics-svc.facts"}})


def test_what_is_committed_is_what_the_code_says():
    files = event_docs.render(EVENTS, event_docs.read_wiring(event_docs.ROOT / "services"))

    assert event_docs.outdated(files, event_docs.ROOT) == [], "run  make events"


def test_a_changed_document_is_noticed(tmp_path: Path, capsys):
    assert event_docs.main([], tmp_path) == 0
    assert event_docs.main(["--check"], tmp_path) == 0

    page = tmp_path / "docs/events.md"
    page.write_text(page.read_text(encoding="utf-8") + "by hand\n", encoding="utf-8")

    assert event_docs.main(["--check"], tmp_path) == 1
    assert "docs/events.md is not what the code says" in capsys.readouterr().err


def test_the_asyncapi_document_has_the_shape_of_version_3():
    document = event_docs.asyncapi(EVENTS, wired())

    jsonschema.validate(document, ASYNCAPI_3)
    assert {event.type for event in EVENTS} == set(document["channels"])
    assert set(document["operations"]) == {
        f"contacts-svc.send.{EVENTS[0].type}",
        f"analytics-svc.facts.receive.{EVENTS[0].type}",
    }


def test_every_reference_in_the_asyncapi_document_leads_somewhere():
    document = event_docs.asyncapi(EVENTS, wired())

    for reference in set(references(document)):
        assert resolve(document, reference), reference


def test_a_document_of_the_wrong_shape_is_refused():
    document = event_docs.asyncapi(EVENTS, wired())
    document["operations"]["x"] = {"action": "publish", "channel": {"$ref": "#/channels/x"}}

    with pytest.raises(jsonschema.ValidationError, match="publish"):
        jsonschema.validate(
            document["operations"]["x"],
            ASYNCAPI_3["properties"]["operations"]["additionalProperties"],
        )


@by_type
def test_every_schema_is_a_json_schema(event: type[Event]):
    jsonschema.Draft202012Validator.check_schema(event_docs.schema_of(event))


@by_type
def test_every_event_holds_one_to_a_thousand_items(event: type[Event]):
    items = event.model_json_schema()["properties"]["items"]

    assert (items["minItems"], items["maxItems"]) == (1, MAX_ITEMS)
    assert issubclass(event_docs.item_class(event), Item)


@by_type
def test_every_event_says_what_it_means_and_is_named_after_its_type(event: type[Event]):
    _, thing, happened, version = event.type.split(".")
    expected = "".join(word.capitalize() for word in f"{thing}_{happened}_{version}".split("_"))

    assert event_docs.meaning(event).endswith(".")
    assert event.__name__ == expected


@by_type
def test_every_event_lives_in_the_module_of_its_producer(event: type[Event]):
    module = f"kantis_contracts.{event_docs.producer(event)}"
    assert event.__module__ == module or event.__module__.startswith(f"{module}.")


def test_the_page_tells_optional_fields_and_names_every_event():
    page = event_docs.events_page(EVENTS, wired())

    assert all(f"`{event.type}`" in page for event in EVENTS)
    assert "`analytics-svc.facts`" in page
    assert len(re.findall(r"^## ", page, re.MULTILINE)) == len(
        {event_docs.producer(event) for event in EVENTS}
    )


def test_the_wiring_is_read_from_the_code_of_the_services(tmp_path: Path):
    slice_ = tmp_path / "orders-svc/src/orders_svc/orders"
    slice_.mkdir(parents=True)
    (slice_ / "events.py").write_text(
        dedent("""
            def orders_paid(orders):
                return orders_events.OrderPaidV1(items=tuple(PaidOrder(order_id=one.id) for one in orders))
        """),
        encoding="utf-8",
    )
    (slice_ / "consumers.py").write_text(
        dedent("""
            QUEUE = "orders-svc.orders"

            @consumes(PaymentBookedV1, queue=QUEUE)
            async def on_payments(tx, event, meta): ...

            @kit.consumes(events.ProductChangedV1, queue="orders-svc.catalogue")
            async def on_products(tx, event, meta): ...
        """),
        encoding="utf-8",
    )

    wiring = event_docs.read_wiring(tmp_path)

    assert wiring.published["OrderPaidV1"] == {"orders-svc"}
    assert wiring.consumed == {
        "PaymentBookedV1": {"orders-svc.orders"},
        "ProductChangedV1": {"orders-svc.catalogue"},
    }
