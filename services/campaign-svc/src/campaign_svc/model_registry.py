"""Every table of the service, for the migrations."""

import campaign_svc.aliases
import campaign_svc.audiences.model
import campaign_svc.campaigns.model
import campaign_svc.products.model
import campaign_svc.schedules.model  # noqa: F401 - importing a model registers its tables
from campaign_svc.base import Base

metadata = Base.metadata
