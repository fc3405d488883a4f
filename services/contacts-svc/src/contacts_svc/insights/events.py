"""Which insights leave the service: what somebody needs to know before they call. Notes stay here."""

from collections.abc import Iterable

from contacts_svc.insights.model import Insight, InsightTerm
from kantis_contracts.contacts import InsightCard, InsightChangedV1


def insights_changed(
    told: Iterable[tuple[Insight, InsightTerm]], *, is_taken_back: bool = False
) -> InsightChangedV1:
    """Say what was learned about people, or that it was told by mistake."""
    return InsightChangedV1(
        items=tuple(
            InsightCard(
                insight_id=one.id,
                person_id=one.person_id,
                term=term.key,
                kind=term.kind,
                words=term.words,
                strength=one.strength,
                source=one.source,
                said_at=one.said_at,
                until=one.until,
                is_taken_back=is_taken_back,
            )
            for one, term in told
        )
    )
