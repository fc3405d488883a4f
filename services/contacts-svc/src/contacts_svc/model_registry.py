"""Every table of the service, so that migrations can be compared with the models."""

import contacts_svc.imports.model
import contacts_svc.intake.model
import contacts_svc.people.model
import contacts_svc.permissions.model
import contacts_svc.segments.model  # noqa: F401 - imported for the tables
from contacts_svc.base import Base

metadata = Base.metadata
