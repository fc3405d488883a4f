"""Which fields of programmes leave the service."""

from collections.abc import Iterable

from campaign_svc.programmes.model import AskedCondition
from kantis_contracts.campaign import RuleCard, RuleChangedV1


def conditions_asked(
    conditions: Iterable[AskedCondition], *, is_wanted: bool = True
) -> RuleChangedV1:
    """Have the register keep segments for the conditions of branches, and tell everybody who is in them; or close them."""
    return RuleChangedV1(
        items=tuple(
            RuleCard(
                rule_id=one.segment_id,
                version=one.told_version,
                name="a branch of programmes",
                segment_id=one.segment_id,
                condition=one.condition,
                follows_members=True,
                is_active=is_wanted,
            )
            for one in conditions
        )
    )
