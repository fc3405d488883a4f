"""Composition root of campaign-svc."""

from pathlib import Path

import campaign_svc.audiences.consumers
import campaign_svc.campaigns.consumers
import campaign_svc.holds.consumers
import campaign_svc.merges.consumers
import campaign_svc.merges.jobs
import campaign_svc.privacy.consumers
import campaign_svc.privacy.jobs
import campaign_svc.products.consumers
import campaign_svc.schedules.jobs
from campaign_svc.campaigns.api import offers, router
from campaign_svc.holds.api import router as holds
from campaign_svc.model_registry import metadata
from campaign_svc.schedules.api import router as schedules
from campaign_svc.settings import CampaignSettings
from kantis_kit.consumer import handlers_in
from kantis_kit.service import ServiceSpec
from kantis_kit.timers import jobs_in, timers_in

SPEC = ServiceSpec(
    name="campaign",
    title="Kantis campaigns",
    settings=CampaignSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    routers=[router, offers, holds, schedules],
    handlers=handlers_in(
        campaign_svc.products.consumers,
        campaign_svc.campaigns.consumers,
        campaign_svc.audiences.consumers,
        campaign_svc.holds.consumers,
        campaign_svc.merges.consumers,
        campaign_svc.privacy.consumers,
    ),
    timers=timers_in(campaign_svc.merges.jobs, campaign_svc.schedules.jobs),
    jobs=jobs_in(campaign_svc.privacy.jobs),
)
