"""Reports as tables for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from kantis_kit.csv_rows import quoted

Cell = str | int
_INTERVAL = ("value", "low", "high")


def as_csv(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return rows as CSV with a byte order mark, which spreadsheets need for æ, ø, å."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(rows)
    return out.getvalue()


def rates_as_cells(rate: BaseModel | None) -> list[Cell]:
    """Return a rate and its interval as three cells, empty without one."""
    return [f"{getattr(rate, one):.6f}" if rate else "" for one in _INTERVAL]


def columns_of(kind: type[BaseModel]) -> list[tuple[str, str, str]]:
    """Return the columns of a report as a file: name, field, and what of the field where it is a rate (else empty)."""
    found = []
    for name in kind.model_fields:
        if name.endswith("_rate"):
            found += [
                (name if part == "value" else f"{name}_{part}", name, part) for part in _INTERVAL
            ]
        else:
            found.append((name, name, ""))
    return found


def items_as_csv(items: Sequence[BaseModel], kind: type[BaseModel]) -> str:
    """Return the lines of a report as CSV, a column for each field; a field of rates becomes three."""
    head = [column for column, _, _ in columns_of(kind)]
    rows = ([cell for name in kind.model_fields for cell in _cells(item, name)] for item in items)
    return as_csv(head, rows)


def _cells(item: BaseModel, name: str) -> list[Cell]:
    value = getattr(item, name)
    if name.endswith("_rate"):
        return rates_as_cells(value)
    if value is None:
        return [""]
    if isinstance(value, int):
        return [value]
    return [f"{value:.6f}" if isinstance(value, float) else quoted(str(value))]
