"""Every table of the service, for the migrations."""

import analytics_svc.aliases
import analytics_svc.facts.model
import analytics_svc.questions.model
import analytics_svc.saved.model
import analytics_svc.worth.model  # noqa: F401 - importing a model registers its tables
from analytics_svc.base import Base

metadata = Base.metadata
