"""Which fields of programmes leave the service."""

from collections.abc import Iterable

from campaign_svc.programmes.model import AskedCondition
from kantis_contracts.campaign import RuleCard, RuleChangedV1


def conditions_asked(conditions: Iterable[AskedCondition]) -> RuleChangedV1:
    """Have the register keep segments for the conditions of branches, and tell everybody who is in them."""
    return RuleChangedV1(
        items=tuple(
            RuleCard(
                rule_id=one.segment_id,
                version=int(one.asked_at.timestamp()),
                name="a branch of programmes",
                segment_id=one.segment_id,
                condition=one.condition,
                follows_members=True,
            )
            for one in conditions
        )
    )
