"""The explorer's files, served from here; no other host is asked for anything.

The files of swagger-ui-dist 5.35.0 are as released; `assets.sha256` beside the folder lists their hashes.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
PREFIX = "/docs/assets/"
PAGE = "/docs"
_KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
    ".html": "text/html; charset=utf-8",
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    headers: tuple[tuple[bytes, bytes], ...]


@cache
def _assets() -> dict[str, Asset]:
    return {
        (PAGE if file.suffix == ".html" else PREFIX + file.name): _asset(file)
        for file in ASSETS.iterdir()
        if file.suffix in _KINDS
    }


def _asset(file: Path) -> Asset:
    content = file.read_bytes()
    lasting = b"no-cache" if file.suffix == ".html" else b"public, max-age=86400"
    return Asset(
        content,
        (
            (b"content-type", _KINDS[file.suffix].encode()),
            (b"content-length", str(len(content)).encode()),
            (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
            (b"cache-control", lasting),
        ),
    )


def find_asset(path: str) -> Asset | None:
    """Return the file that stands at a path, or None."""
    return _assets().get(path)
