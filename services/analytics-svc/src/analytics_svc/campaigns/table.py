"""A report as a table for spreadsheets."""

from collections.abc import Sequence

from analytics_svc import tables
from analytics_svc.campaigns.schemas import CampaignReport, CellReport, Numbers
from analytics_svc.tables import rates_as_cells
from kantis_kit.csv_rows import quoted

_COUNTS = [name for name in Numbers.model_fields if name not in ("response_rate", "click_rate")]
_RATES = ("response_rate", "response_rate_low", "response_rate_high")


def as_csv(report: CampaignReport) -> str:
    """Return the report's cells and its sum as CSV."""
    rows = [_row(report, cell.name, cell.key_code, cell) for cell in report.cells]
    head = ["campaign", "cell", "key_code", "currency", *_COUNTS, *_RATES]
    return tables.as_csv(head, [*rows, _row(report, "TOTAL", "", report.total)])


def _row(
    report: CampaignReport, name: str, key_code: str, numbers: Numbers | CellReport
) -> Sequence[str | int]:
    return [
        quoted(report.name),
        quoted(name),
        quoted(key_code),
        report.currency,
        *(getattr(numbers, count) for count in _COUNTS),
        *rates_as_cells(numbers.response_rate),
    ]
