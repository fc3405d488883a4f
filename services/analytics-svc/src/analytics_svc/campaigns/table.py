"""A report as a table for spreadsheets."""

from collections.abc import Sequence

from analytics_svc import tables
from analytics_svc.campaigns.schemas import CampaignReport, CellReport, Numbers
from analytics_svc.tables import harmless, rates_as_cells
from kantis_contracts.orders import ResponseKind, ResponseWay

_NO_COUNTS = ("response_rate", "click_rate", "answers")
_COUNTS = [name for name in Numbers.model_fields if name not in _NO_COUNTS]
_KINDS, _WAYS = [one.value for one in ResponseKind], [one.value for one in ResponseWay]
_RATES = ("response_rate", "response_rate_low", "response_rate_high")


def as_csv(report: CampaignReport) -> str:
    """Return the report's cells and its sum as CSV."""
    rows = [_row(report, cell.name, cell.key_code, cell) for cell in report.cells]
    head = ["campaign", "cell", "key_code", "currency", *_COUNTS, *_RATES]
    head += [*(f"answers_{kind}" for kind in _KINDS), *(f"answers_by_{way}" for way in _WAYS)]
    return tables.as_csv(head, [*rows, _row(report, "TOTAL", "", report.total)])


def _row(
    report: CampaignReport, name: str, key_code: str, numbers: Numbers | CellReport
) -> Sequence[str | int]:
    return [
        harmless(report.name),
        harmless(name),
        harmless(key_code),
        report.currency,
        *(getattr(numbers, count) for count in _COUNTS),
        *rates_as_cells(numbers.response_rate),
        *(sum(numbers.answers.get(kind, {}).values()) for kind in _KINDS),
        *(sum(ways.get(way, 0) for ways in numbers.answers.values()) for way in _WAYS),
    ]
