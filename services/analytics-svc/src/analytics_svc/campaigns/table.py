"""A report as a table: a line each for its cells, and one for their sum."""

from typing import Any

from pydantic import BaseModel, create_model

from analytics_svc.campaigns.schemas import CampaignReport, CellReport, Numbers, Rate
from kantis_contracts.orders import ResponseKind, ResponseWay
from kantis_kit.web.schemas import Out

_NO_COUNTS = ("response_rate", "click_rate", "answers")
_COUNTS = [name for name in Numbers.model_fields if name not in _NO_COUNTS]
_KINDS, _WAYS = [one.value for one in ResponseKind], [one.value for one in ResponseWay]
_FIELDS: dict[str, Any] = {
    **dict.fromkeys(("campaign", "cell", "key_code", "currency"), (str, ...)),
    **dict.fromkeys(_COUNTS, (int, ...)),
    "response_rate": (Rate | None, ...),
    **dict.fromkeys((f"answers_{kind}" for kind in _KINDS), (int, ...)),
    **dict.fromkeys((f"answers_by_{way}" for way in _WAYS), (int, ...)),
}
CellLine: type[BaseModel] = create_model("CellLine", __base__=Out, **_FIELDS)
"""A line: the names, every count of `Numbers`, the rate of answers, and the answers of each kind and by each way."""


def lines_of(report: CampaignReport) -> list[BaseModel]:
    """Return the report's cells, and its sum as the cell TOTAL."""
    lines = [_line(report, cell.name, cell.key_code, cell) for cell in report.cells]
    return [*lines, _line(report, "TOTAL", "", report.total)]


def _line(
    report: CampaignReport, name: str, key_code: str, numbers: Numbers | CellReport
) -> BaseModel:
    answers = numbers.answers
    return CellLine.model_validate(
        {
            "campaign": report.name,
            "cell": name,
            "key_code": key_code,
            "currency": report.currency,
            "response_rate": numbers.response_rate,
            **{count: getattr(numbers, count) for count in _COUNTS},
            **{f"answers_{kind}": sum(answers.get(kind, {}).values()) for kind in _KINDS},
            **{
                f"answers_by_{way}": sum(one.get(way, 0) for one in answers.values())
                for way in _WAYS
            },
        }
    )
