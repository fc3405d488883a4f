"""Milestones become rules: what each stands for, in the one language of conditions."""

from typing import Any

from campaign_svc.actions.schemas import AskerKind
from campaign_svc.milestones.schemas import (
    Birthday,
    BoughtFor,
    CompanyEvent,
    MilestoneIn,
    YearsACustomer,
)
from campaign_svc.rules.model import Rule
from campaign_svc.rules.schemas import CompanyTrigger, ReEntry, RuleIn, SegmentTrigger
from campaign_svc.rules.usecases import make_rule
from kantis_kit.tx import Tx


async def make_milestone(tx: Tx, body: MilestoneIn) -> Rule:
    """Make a milestone. Whoever passed it before it was made is not congratulated on the past.

    Raises:
        ActionNotAvailable: the programme or the series of coupons that it names is not there.
        TemplateSells: it needs no permission by its class, and its template is written to sell.
    """
    return await make_rule(tx, rule_of(body), kind=AskerKind.MILESTONE)


def rule_of(body: MilestoneIn) -> RuleIn:
    """Return the rule that a milestone stands for: it acts once ever, or once for each time that comes."""
    when = body.when
    trigger: SegmentTrigger | CompanyTrigger
    if isinstance(when, CompanyEvent):
        trigger = CompanyTrigger(kind=when.event_kind, roles=when.roles)
        re_entry = ReEntry.EVERY_ENTRY  # each event has an id of its own, and comes once
    else:
        trigger = SegmentTrigger(condition=_condition(when))
        yearly = isinstance(when, Birthday) and when.years is None
        re_entry = ReEntry.ONCE_A_YEAR if yearly else ReEntry.ONCE
    return RuleIn(
        name=body.name, on=trigger, action=body.action, re_entry=re_entry, priority=body.priority
    )


def _condition(when: BoughtFor | YearsACustomer | Birthday) -> dict[str, Any]:
    if isinstance(when, BoughtFor):
        return {
            "op": "orders",
            "measure": "total_minor",
            "value": when.amount_minor,
            "currency": when.currency,
            "paid_only": True,
        }
    if isinstance(when, YearsACustomer):
        return {"op": "anniversary", "of": "first_order", "years": [when.years]}
    years = [when.years] if when.years else []
    return {"op": "anniversary", "of": "field", "key": when.field, "years": years}
