"""The console's files for browsers: ours, and those of libraries as released.

Each has its content's hash in its address, so that a browser keeps it for ever and never an old one.
`assets/manifest.toml` says of every vendored file whose it is, which version, under which licence, and its SHA-256.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.responses import Response

FOLDER = Path(__file__).parent / "assets"
PREFIX = "/console/assets/"
_KINDS = {".js": "text/javascript", ".css": "text/css"}
_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Asset:
    """A file and where it stands."""

    address: str
    content: bytes
    kind: str


@cache
def assets() -> dict[str, Asset]:
    """Return every file by its name."""
    found = {}
    for file in sorted(FOLDER.iterdir()):
        if file.suffix in _KINDS:
            content = file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]
            found[file.name] = Asset(f"{PREFIX}{digest}/{file.name}", content, _KINDS[file.suffix])
    return found


@cache
def _by_address() -> dict[str, Asset]:
    return {asset.address: asset for asset in assets().values()}


def address_of(name: str) -> str:
    """Return where a file stands."""
    return assets()[name].address


def find(path: str) -> Response | None:
    """Return the file of an address; None when it has changed or was never there."""
    asset = _by_address().get(path)
    if asset is None:
        return None
    return Response(
        asset.content,
        media_type=asset.kind,
        headers={"Cache-Control": "public, max-age=31536000, immutable"},
    )
