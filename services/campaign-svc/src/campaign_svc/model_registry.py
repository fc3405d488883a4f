"""Every table of the service, for the migrations."""

import campaign_svc.actions.model
import campaign_svc.aliases
import campaign_svc.audiences.model
import campaign_svc.campaigns.model
import campaign_svc.care.model
import campaign_svc.club.model
import campaign_svc.community.model
import campaign_svc.competitions.model
import campaign_svc.context.model
import campaign_svc.coupons.model
import campaign_svc.memory.model
import campaign_svc.people.model
import campaign_svc.products.model
import campaign_svc.programmes.model
import campaign_svc.purchases.model
import campaign_svc.referrals.model
import campaign_svc.rules.model
import campaign_svc.schedules.model
import campaign_svc.seeds.model
import campaign_svc.senders.model
import campaign_svc.signups.model
import campaign_svc.surveys.model
import campaign_svc.templates.model
import campaign_svc.thresholds.model
import campaign_svc.webhooks.model  # noqa: F401 - importing a model registers its tables
from campaign_svc.base import Base

metadata = Base.metadata
