"""Labels become pages of 102 × 152 mm: data in, PDF out; no network, no database."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import typst

from kantis_kit import barcodes
from orders_svc.labels.codes import SSCC_DIGITS

LAYOUT = Path(__file__).parent / "label.typ"
PAGE_MM = (102.0, 152.0)


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on a parcel."""

    code: str
    """SSCC or S10."""
    sender: tuple[str, ...]
    to: tuple[str, ...]
    carrier: str
    service: str
    order: str
    weight_grams: int
    position: int
    of: int


@cache
def _fonts() -> "typst.Fonts":
    return typst.Fonts(include_system_fonts=False)


def render(labels: Sequence[Label]) -> bytes:
    """Typeset labels, a page each; takes some milliseconds, so call it in a thread."""
    data = {"title": labels[0].order, "labels": [_words(label) for label in labels]}
    press = typst.Compiler(
        str(LAYOUT), root=str(LAYOUT.parent), font_paths=_fonts(), ignore_system_fonts=True
    )
    made = press.compile(format="pdf", sys_inputs={"data": orjson.dumps(data).decode()})
    if not isinstance(made, bytes):
        message = "the typesetter made no PDF"
        raise TypeError(message)
    return made


def _words(label: Label) -> dict[str, Any]:
    is_sscc = len(label.code) == SSCC_DIGITS
    text = f"(00){label.code}" if is_sscc else label.code
    return {
        "from": label.sender,
        "to": label.to,
        "carrier": label.carrier,
        "service": label.service,
        "order": label.order,
        "weight": f"{label.weight_grams / 1000:.2f} kg" if label.weight_grams else "",
        "position": f"{label.position} / {label.of}",
        "bars": barcodes.bars(text, is_gs1=is_sscc),
        "code": text,
    }
