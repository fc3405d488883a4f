"""What can be done with campaigns."""

from campaign_svc.campaigns.usecases.audience import end_without_audience, take_audience
from campaign_svc.campaigns.usecases.launch import launch_campaign
from campaign_svc.campaigns.usecases.outcomes import (
    mark_orders,
    mark_responses,
    settle_pieces,
)
from campaign_svc.campaigns.usecases.plan import (
    add_cell,
    add_offer,
    change_campaign,
    change_cell,
    delete_campaign,
    lock_draft,
    plan_campaign,
    remove_cell,
    remove_offer,
)
from campaign_svc.campaigns.usecases.preflight import begin_preflight, report_reach, send_test

__all__ = [
    "add_cell",
    "add_offer",
    "begin_preflight",
    "change_campaign",
    "change_cell",
    "delete_campaign",
    "end_without_audience",
    "launch_campaign",
    "lock_draft",
    "mark_orders",
    "mark_responses",
    "plan_campaign",
    "remove_cell",
    "remove_offer",
    "report_reach",
    "send_test",
    "settle_pieces",
    "take_audience",
]
