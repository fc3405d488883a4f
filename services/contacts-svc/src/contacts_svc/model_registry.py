"""Every table of the service, so that migrations can be compared with the models."""

# ruff: noqa: F401 - the modules are imported for their tables

import contacts_svc.dossier.model
import contacts_svc.exports.model
import contacts_svc.facts.model
import contacts_svc.fields.model
import contacts_svc.imports.model
import contacts_svc.insights.model
import contacts_svc.intake.model
import contacts_svc.interactions.model
import contacts_svc.lists
import contacts_svc.organisations.model
import contacts_svc.people.model
import contacts_svc.permissions.model
import contacts_svc.privacy.model
import contacts_svc.quality.model
import contacts_svc.scores.model
import contacts_svc.segments.model
import contacts_svc.touched
import contacts_svc.value.model
import contacts_svc.visits.model
from contacts_svc.base import Base

metadata = Base.metadata
