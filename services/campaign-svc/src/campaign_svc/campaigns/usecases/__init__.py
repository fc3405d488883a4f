"""What can be done with campaigns."""

from campaign_svc.campaigns.usecases.audience import end_without_audience, take_audience
from campaign_svc.campaigns.usecases.launch import approve_campaign, launch_campaign
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
    copy_campaign,
    delete_campaign,
    lock_draft,
    plan_campaign,
    remove_cell,
    remove_offer,
)
from campaign_svc.campaigns.usecases.preflight import (
    begin_preflight,
    report_checks,
    report_reach,
    send_test,
    send_to_seeds,
)
from campaign_svc.campaigns.usecases.waves import end_waiting, lock_launch, release_wave

__all__ = [
    "add_cell",
    "add_offer",
    "approve_campaign",
    "begin_preflight",
    "change_campaign",
    "change_cell",
    "copy_campaign",
    "delete_campaign",
    "end_waiting",
    "end_without_audience",
    "launch_campaign",
    "lock_draft",
    "lock_launch",
    "mark_orders",
    "mark_responses",
    "plan_campaign",
    "release_wave",
    "remove_cell",
    "remove_offer",
    "report_checks",
    "report_reach",
    "send_test",
    "send_to_seeds",
    "settle_pieces",
    "take_audience",
]
