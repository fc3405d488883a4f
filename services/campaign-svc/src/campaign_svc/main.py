"""Composition root of campaign-svc."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import campaign_svc.actions.consumers
import campaign_svc.audiences.consumers
import campaign_svc.campaigns.consumers
import campaign_svc.care.consumers
import campaign_svc.club.consumers
import campaign_svc.club.jobs
import campaign_svc.context.consumers
import campaign_svc.experiments.jobs
import campaign_svc.holds.consumers
import campaign_svc.memory.consumers
import campaign_svc.merges.consumers
import campaign_svc.merges.jobs
import campaign_svc.people.consumers
import campaign_svc.privacy.consumers
import campaign_svc.privacy.jobs
import campaign_svc.products.consumers
import campaign_svc.programmes.consumers
import campaign_svc.programmes.jobs
import campaign_svc.referrals.consumers
import campaign_svc.rules.consumers
import campaign_svc.schedules.jobs
import campaign_svc.senders.consumers
import campaign_svc.templates.consumers
from campaign_svc.actions.api import router as steps
from campaign_svc.actions.api import tasks
from campaign_svc.actions.doing import Doer, Doers
from campaign_svc.campaigns.api import offers, router
from campaign_svc.care.api import router as care
from campaign_svc.club.api import members
from campaign_svc.club.api import router as club
from campaign_svc.community.api import router as community
from campaign_svc.competitions.api import router as competitions
from campaign_svc.context.api import companies
from campaign_svc.context.api import router as context
from campaign_svc.coupons.api import router as coupons
from campaign_svc.coupons.api import series
from campaign_svc.coupons.fast import fast_tills
from campaign_svc.coupons.redeeming import Tills
from campaign_svc.coupons.usecases import give_for_others, is_given
from campaign_svc.experiments.api import router as experiments
from campaign_svc.holds.api import router as holds
from campaign_svc.memory.api import router as memory
from campaign_svc.milestones.api import router as milestones
from campaign_svc.model_registry import metadata
from campaign_svc.programmes.api import kit as programme_kit
from campaign_svc.programmes.api import router as programmes
from campaign_svc.programmes.usecases.taking import begin_for_others, is_programme
from campaign_svc.referrals.api import router as referrals
from campaign_svc.rules.api import router as rules
from campaign_svc.schedules.api import router as schedules
from campaign_svc.seeds.api import router as seeds
from campaign_svc.settings import CampaignSettings
from campaign_svc.signups.api import router as signups
from campaign_svc.signups.public import router as signup_pages
from campaign_svc.surveys.api import router as surveys
from campaign_svc.surveys.public import router as survey_pages
from campaign_svc.thresholds.api import router as thresholds
from campaign_svc.webhooks.api import router as webhooks
from campaign_svc.webhooks.jobs import send_webhooks
from campaign_svc.webhooks.model import SEALED
from campaign_svc.webhooks.usecases import is_open, tell_for_others
from kantis_kit.consumer import handlers_in
from kantis_kit.service import ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.timers import jobs_in, timers_in
from kantis_kit.vault import Vault


def _extras(settings: ServiceSettings) -> Mapping[type, Any]:
    """Return what use cases find by its type."""
    # What slices above `actions` do when it is asked for, by the kind of the action.
    doers = {
        "programme": Doer(is_programme, begin_for_others),
        "coupon": Doer(is_given, give_for_others),
        "webhook": Doer(is_open, tell_for_others),
    }
    vault = Vault.from_text(settings.link_keys.get_secret_value(), purpose=SEALED)
    return {Tills: Tills(), Doers: Doers(doers), Vault: vault}


SPEC = ServiceSpec(
    name="campaign",
    title="Kantis campaigns",
    settings=CampaignSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    routers=[
        router,
        offers,
        care,
        club,
        community,
        companies,
        competitions,
        context,
        coupons,
        experiments,
        holds,
        members,
        memory,
        milestones,
        programme_kit,
        programmes,
        referrals,
        rules,
        schedules,
        seeds,
        series,
        signups,
        steps,
        surveys,
        tasks,
        thresholds,
        webhooks,
    ],
    public={"/e": [signup_pages], "/q": [survey_pages]},
    fast={"/v1": fast_tills},
    handlers=handlers_in(
        campaign_svc.products.consumers,
        campaign_svc.campaigns.consumers,
        campaign_svc.actions.consumers,
        campaign_svc.audiences.consumers,
        campaign_svc.care.consumers,
        campaign_svc.club.consumers,
        campaign_svc.context.consumers,
        campaign_svc.holds.consumers,
        campaign_svc.memory.consumers,
        campaign_svc.merges.consumers,
        campaign_svc.people.consumers,
        campaign_svc.privacy.consumers,
        campaign_svc.programmes.consumers,
        campaign_svc.referrals.consumers,
        campaign_svc.rules.consumers,
        campaign_svc.senders.consumers,
        campaign_svc.templates.consumers,
    ),
    timers=timers_in(
        campaign_svc.merges.jobs, campaign_svc.programmes.jobs, campaign_svc.schedules.jobs
    ),
    jobs=jobs_in(
        campaign_svc.privacy.jobs,
        campaign_svc.experiments.jobs,
        campaign_svc.club.jobs,
        campaign_svc.programmes.jobs,
    ),
    loops=[send_webhooks],
    extras=_extras,
)
