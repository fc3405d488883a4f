"""A report as a table for spreadsheets."""

import csv
import io
from collections.abc import Sequence

from analytics_svc.campaigns.schemas import CampaignReport, CellReport, Numbers

_COUNTS = [name for name in Numbers.model_fields if name not in ("response_rate", "click_rate")]
_RATES = ("response_rate", "response_rate_low", "response_rate_high")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    Source: OWASP, CSV Injection: cells that begin with = + - @, tab or carriage return are evaluated.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_csv(report: CampaignReport) -> str:
    """Return the report's cells and its sum as CSV with a byte order mark, which spreadsheets need for æ, ø, å."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["campaign", "cell", "key_code", "currency", *_COUNTS, *_RATES])
    for cell in report.cells:
        writer.writerow(_row(report, cell.name, cell.key_code, cell))
    writer.writerow(_row(report, "TOTAL", "", report.total))
    return out.getvalue()


def _row(
    report: CampaignReport, name: str, key_code: str, numbers: Numbers | CellReport
) -> Sequence[str | int]:
    rate = numbers.response_rate
    return [
        harmless(report.name),
        harmless(name),
        harmless(key_code),
        report.currency,
        *(getattr(numbers, count) for count in _COUNTS),
        *((f"{one:.6f}" for one in (rate.value, rate.low, rate.high)) if rate else ("", "", "")),
    ]
