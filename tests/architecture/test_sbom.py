"""The bill of materials says what the lock of the image says, no more and no less."""

import json

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import sbom

LOCK = (sbom.ROOT / sbom.LOCK).read_text(encoding="utf-8")
DOCUMENT = sbom.document(LOCK)
PINS = sbom.read_lock(LOCK)


def reachable(document: dict, start: str) -> set[str]:
    needed = {one["ref"]: one["dependsOn"] for one in document["dependencies"]}
    met, waiting = set(), [start]
    while waiting:
        one = waiting.pop()
        if one not in met:
            met.add(one)
            waiting += needed[one]
    return met


def test_it_names_every_pin_with_all_its_hashes_and_nothing_else():
    stated = {
        one["purl"]: {each["content"] for each in one["hashes"]}
        for one in DOCUMENT["components"]
        if "purl" in one
    }

    assert {pin.reference: {*pin.hashes} for pin in PINS} == stated
    assert LOCK.count("--hash=sha256:") == sum(len(one) for one in stated.values())
    assert len(PINS) == LOCK.count("==") - sum(pin.marker.count("==") for pin in PINS)


def test_every_library_is_needed_by_something_of_the_house():
    whole = DOCUMENT["metadata"]["component"]["bom-ref"]
    here = {pin.reference for pin in PINS if pin.is_here}
    ours = {f"{name}@{version}" for name, version in sbom.members().items()}

    assert here | ours == reachable(DOCUMENT, whole)


def test_it_is_strictly_cyclonedx():
    check = JsonStrictValidator(SchemaVersion.V1_5).validate_str
    broken = {**DOCUMENT, "components": [{"type": "library"}]}

    assert check(json.dumps(DOCUMENT)) is None
    assert check(json.dumps(broken)) is not None


def test_it_holds_no_address_and_is_the_same_every_time():
    assert "://" not in json.dumps(DOCUMENT)
    assert sbom.document(LOCK) == DOCUMENT
    assert sbom.document(LOCK.replace("0", "1", 1))["serialNumber"] != DOCUMENT["serialNumber"]


@pytest.mark.parametrize("name", ["fastapi", "pydantic", "asyncpg", "cryptography"])
def test_it_states_licences(name):
    (found,) = [one for one in DOCUMENT["components"] if one["name"] == name]

    assert found["licenses"]
