"""Printed codes as rows of points: 0 is black, 255 is white."""

from typing import Any

from zxingcpp import BarcodeFormat, create_barcode

_QUIET = [255] * 10
"""White that a reader needs on both sides of a bar code, in its narrowest bars."""


def bars(text: str, *, is_gs1: bool = False) -> list[int]:
    """Return the bars of a Code 128, the narrowest one point wide, with the white on both sides.

    A GS1-128 is written with its identifiers in brackets, such as `(00)` before an SSCC.
    """
    points, width = _points(text, BarcodeFormat.Code128, **({"gs1": True} if is_gs1 else {}))
    return [*_QUIET, *points[:width], *_QUIET]


def square(text: str) -> tuple[list[int], int]:
    """Return the points of a QR code, row after row, and how many make a side; the white around it is the layout's."""
    points, side = _points(text, BarcodeFormat.QRCode, ec_level="M")
    return list(points), side


def _points(text: str, kind: BarcodeFormat, **options: Any) -> tuple[bytes, int]:
    image: Any = create_barcode(text, kind, **options).to_image(scale=1, add_quiet_zones=False)
    view = memoryview(image)
    return view.tobytes(), view.shape[1] if view.shape else 0
