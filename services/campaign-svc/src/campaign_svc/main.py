"""Composition root of campaign-svc."""

from pathlib import Path

import campaign_svc.campaigns.consumers
import campaign_svc.products.consumers
from campaign_svc.campaigns.api import offers, router
from campaign_svc.model_registry import metadata
from campaign_svc.settings import CampaignSettings
from kantis_kit.consumer import handlers_in
from kantis_kit.service import ServiceSpec

SPEC = ServiceSpec(
    name="campaign",
    title="Kantis campaigns",
    settings=CampaignSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    routers=[router, offers],
    handlers=handlers_in(campaign_svc.products.consumers, campaign_svc.campaigns.consumers),
)
