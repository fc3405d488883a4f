"""A change that breaks an event's committed schema is refused; each kind of change has a planted example."""

import json
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import pytest
from pydantic import Field, create_model

import event_docs
from event_compat import breaking_changes
from kantis_contracts.base import Event, Item, Items


class Money(Item):
    """An amount."""

    amount_minor: int
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


OLD = {
    "order_id": (UUID, ...),
    "total": (Money, ...),
    "paid_by": (Literal["card", "invoice"], "invoice"),
    "note": (Annotated[str, Field(max_length=200)], ""),
    "lines": (Annotated[int, Field(ge=1, le=50)], 1),
    "reference": (str | None, None),
    "tags": (tuple[str, ...], ()),
    "quantities": (dict[str, int], {}),
}


def schema(**changes) -> dict:
    """The schema of an event whose item has the old fields with these changes; None takes a field away."""
    fields = {name: one for name, one in {**OLD, **changes}.items() if one is not None}
    item = create_model("PaidOrder", __base__=Item, **fields)
    event = create_model("OrderPaidV1", __base__=Event, items=(tuple[item, ...], Items))
    return event.model_json_schema()


def narrower_money(**changes) -> type[Item]:
    fields = {"amount_minor": (int, ...), "currency": (str, ...), **changes}
    return create_model(
        "Money", __base__=Item, **{k: v for k, v in fields.items() if v is not None}
    )


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"note": None}, "note", "gone"),
        ({"order_id": None}, "order_id", "gone"),
        ({"channel": (str, ...)}, "channel", "new and required"),
        ({"note": (Annotated[str, Field(max_length=200)], ...)}, "note", "now required"),
        ({"order_id": (UUID | None, None)}, "order_id", "may now be absent"),
        ({"lines": (str, "1")}, "lines", "type changed"),
        ({"lines": (Annotated[float, Field(ge=1, le=50)], 1.0)}, "lines", "type changed"),
        ({"order_id": (str, ...)}, "order_id", "format changed"),
        ({"note": (Annotated[str, Field(max_length=100)], "")}, "note", "maxLength fell"),
        (
            {"note": (Annotated[str, Field(max_length=200, min_length=1)], "x")},
            "note",
            "minLength rose",
        ),
        (
            {"note": (Annotated[str, Field(max_length=200, pattern="^a")], "")},
            "note",
            "pattern changed",
        ),
        ({"lines": (Annotated[int, Field(ge=2, le=50)], 2)}, "lines", "minimum rose"),
        ({"lines": (Annotated[int, Field(ge=1, le=49)], 1)}, "lines", "maximum fell"),
        ({"paid_by": (Literal["invoice"], "invoice")}, "paid_by", "no longer takes 'card'"),
        ({"reference": (str, "")}, "reference", "no longer takes"),
        ({"note": (Annotated[str, Field(max_length=200)] | None, "")}, "note", "may now be null"),
        ({"reference": (str | int | None, None)}, "reference", "may now be integer"),
        ({"reference": (Literal["a"] | None, None)}, "reference", "no longer takes"),
        ({"tags": (tuple[int, ...], ())}, "tags[]", "type changed"),
        ({"tags": (tuple[str, str], ("a", "b"))}, "tags", None),
        ({"quantities": (dict[str, str], {})}, "quantities[]", "type changed"),
        ({"total": (narrower_money(amount_minor=None), ...)}, "total.amount_minor", "gone"),
        ({"total": (narrower_money(tax_minor=(int, ...)), ...)}, "total.tax_minor", "required"),
    ],
)
def test_a_breaking_change_is_refused_and_its_place_is_named(
    changes: dict, place: str, words: str | None
):
    found = breaking_changes(schema(), schema(**changes))

    assert any(
        one.startswith(f"event.items[].{place}") and (words or "") in one for one in found
    ), found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"channel": (str, "web")},
        {"channel": (str | None, None)},
        {"note": (Annotated[str, Field(max_length=300)], "")},
        {"lines": (Annotated[int, Field(ge=0, le=100)], 1)},
        {"paid_by": (Literal["card", "invoice", "voucher"], "invoice")},
        {"total": (narrower_money(tax_minor=(int, 0)), ...)},
    ],
)
def test_fields_with_defaults_and_wider_bounds_are_welcome(changes: dict):
    assert breaking_changes(schema(), schema(**changes)) == []


def test_fewer_items_than_before_are_refused():
    old, new = schema(), schema()
    new["properties"]["items"]["maxItems"] = 10

    assert breaking_changes(old, new) == ["event.items: maxItems fell from 1000 to 10"]


def test_a_shape_that_holds_itself_is_compared_to_its_end():
    tree = {
        "type": "object",
        "$defs": {"Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}},
        "properties": {"root": {"$ref": "#/$defs/Node"}},
    }

    assert breaking_changes(tree, tree) == []


def test_the_committed_schemas_still_hold():
    files = event_docs.render(event_docs.published_events(), event_docs.Wiring())

    assert event_docs.problems(files, event_docs.ROOT) == []


def committed(root: Path, schemas: dict[str, dict]) -> Path:
    folder = root / event_docs.SCHEMAS
    folder.mkdir(parents=True)
    for name, one in schemas.items():
        (folder / f"{name}.json").write_text(json.dumps(one), encoding="utf-8")
    return root


def test_the_generator_will_not_overwrite_a_schema_with_one_that_breaks_it(tmp_path: Path, capsys):
    event = event_docs.published_events()[0]
    stricter = event_docs.schema_of(event)
    stricter["properties"]["lost"] = {"type": "string"}
    root = committed(tmp_path, {event.type: stricter})

    assert event_docs.main([], root) == 1
    assert "event.lost: the field is gone" in capsys.readouterr().err
    assert not (root / "docs").exists()


def test_a_schema_whose_class_is_gone_is_refused(tmp_path: Path, capsys):
    root = committed(tmp_path, {"orders.order.forgotten.v1": schema()})

    assert event_docs.main(["--check"], root) == 1
    assert "no class has this type" in capsys.readouterr().err
