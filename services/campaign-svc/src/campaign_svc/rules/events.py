"""Which fields of rules leave the service."""

from campaign_svc.rules.model import Rehearsal, Rule
from kantis_contracts.campaign import (
    Rehearsal as RehearsalCard,
)
from kantis_contracts.campaign import (
    RehearsalRequestedV1,
    RuleCard,
    RuleChangedV1,
)


def rule_changed(rule: Rule, *, is_active: bool = True) -> RuleChangedV1 | None:
    """Tell the register of a rule's condition; None for a rule that has none."""
    if rule.segment_id is None:
        return None
    waits_for_more = rule.trigger["type"] != "segment"
    return RuleChangedV1(
        items=(
            RuleCard(
                rule_id=rule.id,
                version=rule.version,
                name=rule.name,
                segment_id=rule.segment_id,
                condition=rule.trigger.get("condition"),
                tells_present=waits_for_more or bool(rule.trigger.get("includes_present")),
                is_active=is_active,
            ),
        )
    )


def rehearsal_requested(rehearsal: Rehearsal, rule: Rule) -> RehearsalRequestedV1:
    """Ask what the rule's condition would have made of the days that have been."""
    assert rule.segment_id is not None  # noqa: S101 - whoever asks has looked
    return RehearsalRequestedV1(
        items=(
            RehearsalCard(
                rehearsal_id=rehearsal.id,
                rule_id=rule.id,
                segment_id=rule.segment_id,
                since=rehearsal.since,
                until=rehearsal.until,
            ),
        )
    )
