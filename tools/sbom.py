"""Writes what Kantis is made of, as CycloneDX 1.5: the software bill of materials.

    python tools/sbom.py [LOCK]      dist/kantis.cdx.json, from what runs in the image or from another lock

The committed lock says which versions and hashes; the packages installed in .venv say their licences and what needs
what. Nothing is asked of the network, no address gets in, and the same lock gives the same file.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from uuid import UUID, uuid5

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCK = "deploy/images/requirements.lock"
TARGET = "dist/kantis.cdx.json"
WHOLE = "kantis"
NAMESPACE = UUID("6b616e74-6973-5000-8000-000000000000")

LONGEST_NAME = 80  # what is longer in the field "License" is the text of the licence


@dataclass(frozen=True)
class Pin:
    """A line of the lock with its hashes."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def reference(self) -> str:
        """Its package URL, which is its name in the document, too."""
        return f"pkg:pypi/{self.name}@{self.version}"

    @property
    def is_here(self) -> bool:
        """Say whether this Python takes it."""
        return not self.marker or Marker(self.marker).evaluate()


def read_lock(text: str) -> list[Pin]:
    """Return the pins of a lock."""
    pins = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        wanted = Requirement(block.split("\\", 1)[0].strip())
        (version,) = (one.version for one in wanted.specifier)
        hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
        pins.append(Pin(canonicalize_name(wanted.name), version, str(wanted.marker or ""), hashes))
    return pins


def members(root: Path = ROOT) -> dict[str, str]:
    """Return the version of each part of the house, by its name."""
    files = [*root.glob("libs/*/pyproject.toml"), *root.glob("services/*/pyproject.toml")]
    projects = [tomllib.loads(file.read_text(encoding="utf-8"))["project"] for file in files]
    return {one["name"]: one["version"] for one in sorted(projects, key=lambda one: one["name"])}


def needs(start: str) -> dict[str, set[str]]:
    """Return what each installed package needs, from `start` with all its extras on, with those that are asked for."""
    found: dict[str, set[str]] = {}
    met: set[tuple[str, str]] = set()
    waiting = [
        (start, one) for one in ("", *metadata.metadata(start).get_all("Provides-Extra", []))
    ]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in met:
            continue
        met.add((name, extra))
        for wanted in _requirements(name, extra):
            needed = canonicalize_name(wanted.name)
            if needed != name:
                found.setdefault(name, set()).add(needed)
            waiting += [(needed, one) for one in ("", *wanted.extras)]
    return found


def _requirements(name: str, extra: str) -> Iterator[Requirement]:
    for line in metadata.requires(name) or ():
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield wanted


def licences(name: str) -> list[dict[str, object]]:
    """Return the licence that an installed package declares, none when it is not installed or declares none."""
    try:
        given = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    if "License-Expression" in given:
        return [{"expression": given["License-Expression"]}]
    short = given["License"].strip() if "License" in given else ""
    if short and "\n" not in short and len(short) <= LONGEST_NAME:
        return [{"license": {"name": short}}]
    classes = [one for one in given.get_all("Classifier") or () if one.startswith("License ::")]
    return [{"license": {"name": one.rsplit(" :: ", 1)[1]}} for one in classes]


def document(lock: str) -> dict[str, object]:
    """Return the bill of materials of a lock's text."""
    pins, ours = read_lock(lock), members()
    own = {name: f"{name}@{version}" for name, version in ours.items()}
    here = own | {pin.name: pin.reference for pin in pins if pin.is_here}
    needed = needs(WHOLE)
    parts = [
        {"type": "application", "bom-ref": own[name], "name": name, "version": version}
        for name, version in ours.items()
    ]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE, json.dumps(ours) + lock)}",
        "version": 1,
        "metadata": {"component": next(one for one in parts if one["name"] == WHOLE)},
        "components": [
            *(one for one in parts if one["name"] != WHOLE),
            *(_component(pin) for pin in pins),
        ],
        "dependencies": [
            {
                "ref": reference,
                "dependsOn": sorted(here[one] for one in needed.get(name, ()) if one in here),
            }
            for name, reference in sorted(here.items())
        ],
    }


def _component(pin: Pin) -> dict[str, object]:
    found: dict[str, object] = {
        "type": "library",
        "bom-ref": pin.reference,
        "name": pin.name,
        "version": pin.version,
        "purl": pin.reference,
        # One for each archive of this version: whichever a machine takes is among them.
        "hashes": [{"alg": "SHA-256", "content": one} for one in pin.hashes],
    }
    if declared := licences(pin.name):
        found["licenses"] = declared
    if pin.marker:
        found["properties"] = [{"name": "kantis:marker", "value": pin.marker}]
    return found


def main(arguments: list[str]) -> int:
    """Write the file and say where it is."""
    lock = Path(arguments[0]) if arguments else ROOT / LOCK
    target = ROOT / TARGET
    target.parent.mkdir(exist_ok=True)
    made = document(lock.read_text(encoding="utf-8"))
    target.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {TARGET}: what {lock.name} pins, as CycloneDX 1.5")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
