"""Events that left their producers long ago are read by today's classes, attribute by attribute and field by field."""

import json
from pathlib import Path

import pytest
from pydantic import Field, ValidationError, create_model

import event_docs
import event_golden
from kantis_contracts.base import REGISTRY, Event, Item, Items
from kantis_kit.brokers.wire import from_attributes, to_attributes

EVENTS = event_docs.published_events()
FILES = sorted((event_docs.ROOT / event_golden.GOLDEN).glob("*/*.json"))
by_file = pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")


def losses(old: object, new: object, at: str = "event") -> list[str]:
    """Name each place where what was sent is not what is read; new fields are welcome."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [one for key in old for one in losses(old[key], new.get(key), f"{at}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [one for index, pair in pairs for one in losses(*pair, f"{at}[{index}]")]
    return [] if old == new else [f"{at}: {old!r} is read as {new!r}"]


@by_file
def test_an_old_event_is_read_by_the_class_of_today(file: Path):
    old = json.loads(file.read_text(encoding="utf-8"))
    envelope = from_attributes(old["attributes"], event_golden.payload(old))

    assert file.parent.name == envelope.type
    assert old["attributes"] == to_attributes(envelope)
    read = REGISTRY[envelope.type].model_validate_json(envelope.data)
    assert [] == losses(old["data"], json.loads(read.model_dump_json()))


@by_file
def test_the_signature_of_an_old_event_still_holds(file: Path):
    old = json.loads(file.read_text(encoding="utf-8"))
    envelope = from_attributes(old["attributes"], event_golden.payload(old))

    assert event_golden.keys_of(envelope.source).is_genuine(envelope), "a golden file is not edited"


def test_every_type_has_a_golden_file_with_the_fields_of_today():
    assert {} == event_golden.missing(EVENTS, event_docs.ROOT), "run  make events"
    assert {event.type for event in EVENTS} == {file.parent.name for file in FILES}


def test_an_event_is_golden_in_one_way_only():
    assert [event_golden.golden(one) for one in EVENTS] == [
        event_golden.golden(one) for one in EVENTS
    ]


def test_the_first_item_leaves_nothing_empty():
    for event in EVENTS:
        first = event_golden.golden(event)["data"]["items"][0]
        assert [] == [name for name, value in first.items() if value in (None, "", [], {})]


class Crate(Item):
    """A thing."""

    label: str
    weight: int = 0


def kind_of(**changes) -> type[Event]:
    """An event class of the same type with these changes; it is in nobody's registry."""
    crate = create_model("Crate", __base__=Crate, **changes)
    event = create_model("CrateMovedV1", __base__=Event, items=(tuple[crate, ...], Items))
    event.type = "orders.crate.moved.v1"
    return event


def write(events: list[type[Event]], root: Path) -> list[str]:
    files = event_golden.missing(events, root)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return list(files)


def test_a_new_field_gives_a_new_file_and_leaves_the_old_one(tmp_path: Path):
    folder = f"{event_golden.GOLDEN}/orders.crate.moved.v1"

    assert [f"{folder}/1.json"] == write([kind_of()], tmp_path)
    first = (tmp_path / folder / "1.json").read_bytes()
    assert [] == write([kind_of()], tmp_path)
    wider = kind_of(fragile=(bool, False))
    assert [f"{folder}/2.json"] == write([wider], tmp_path)
    assert [] == write([wider], tmp_path)
    assert first == (tmp_path / folder / "1.json").read_bytes()


@pytest.mark.parametrize(
    ("changes", "lost"),
    [
        ({"weight": (str, Field(alias="kilos", default=""))}, "event.items[0].weight"),
        ({"label": (bytes, ...), "weight": (float, Field(default=0, exclude=True))}, "weight"),
    ],
)
def test_a_field_that_is_read_as_something_else_is_noticed(changes: dict, lost: str):
    old = event_golden.golden(kind_of())["data"]
    read = kind_of(**changes).model_validate_json(json.dumps(old))

    assert any(lost in one for one in losses(old, json.loads(read.model_dump_json())))


def test_a_field_that_is_newly_needed_is_noticed():
    old = event_golden.golden(kind_of())["data"]

    with pytest.raises(ValidationError, match="sender"):
        kind_of(sender=(str, ...)).model_validate_json(json.dumps(old))


def test_a_field_that_nobody_can_guess_asks_for_an_example():
    pattern = {"label": (str, Field(pattern="^SSCC-[0-9]{3}$"))}
    with pytest.raises(ValueError, match=r"items\.0\.label.*examples="):
        event_golden.golden(kind_of(**pattern))

    told = {"label": (str, Field(pattern="^SSCC-[0-9]{3}$", examples=["SSCC-123"]))}
    first = event_golden.golden(kind_of(**told))["data"]["items"][0]
    assert "SSCC-123" == first["label"]


def test_a_golden_file_that_no_class_reads_is_refused(tmp_path: Path, capsys):
    (tmp_path / event_golden.GOLDEN / "orders.crate.moved.v1").mkdir(parents=True)

    assert event_docs.main([], tmp_path) == 1
    assert "orders.crate.moved.v1: no class has this type" in capsys.readouterr().err
    assert not (tmp_path / "docs").exists()
