"""The facts where they are: PostgreSQL. The cost of an answer grows with the facts of the kinds that are asked for."""

from typing import Any

from sqlalchemy import RowMapping, text

from analytics_svc.facts.model import NO_CELL
from analytics_svc.facts.rules import kinds_of
from analytics_svc.questions import sql
from analytics_svc.questions.schemas import AnswerLine, Question
from analytics_svc.questions.store import FactStore, in_order
from kantis_kit.tx import ReadTx


class PostgresFacts(FactStore):
    """Counts the facts in the service's own database, within the transaction of who asks."""

    name = "postgresql"

    async def ask(self, tx: ReadTx, question: Question) -> list[AnswerLine]:
        """Recount the facts by the rules by which roll-ups are moved."""
        bound: dict[str, Any] = {
            "kinds": sorted({kind for one in question.measures for kind in kinds_of(one)}),
            "measures": question.measures,
            **question.model_dump(include={"since", "until", "campaign_id", "channel", "currency"}, exclude_none=True),
        }  # fmt: skip
        rows = await tx.execute(text(sql.asked(question)), bound)
        return in_order(map(_line, rows.mappings()))


def _line(row: RowMapping) -> AnswerLine:
    values = dict(row)
    if values.get("cell_id") == NO_CELL:
        values["cell_id"] = None
    return AnswerLine(**values)
