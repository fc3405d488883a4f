"""Composition root: which parts make the service."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import contacts_svc.dossier.api
import contacts_svc.dossier.consumers
import contacts_svc.dossier.jobs
import contacts_svc.exports.api
import contacts_svc.exports.jobs
import contacts_svc.facts.consumers
import contacts_svc.fields.api
import contacts_svc.imports.api
import contacts_svc.imports.jobs
import contacts_svc.insights.api
import contacts_svc.insights.consumers
import contacts_svc.intake.api
import contacts_svc.intake.fast
import contacts_svc.intake.jobs
import contacts_svc.interactions.api
import contacts_svc.interactions.consumers
import contacts_svc.organisations.api
import contacts_svc.people.api
import contacts_svc.people.consumers
import contacts_svc.people.jobs
import contacts_svc.permissions.api
import contacts_svc.permissions.consumers
import contacts_svc.privacy.api
import contacts_svc.privacy.consumers
import contacts_svc.privacy.jobs
import contacts_svc.quality.api
import contacts_svc.quality.jobs
import contacts_svc.scores.api
import contacts_svc.scores.jobs
import contacts_svc.segments.api
import contacts_svc.segments.consumers
import contacts_svc.segments.jobs
import contacts_svc.selfservice.api
import contacts_svc.timeline.api
import contacts_svc.value.api
import contacts_svc.value.consumers
import contacts_svc.value.jobs
import contacts_svc.visits.api
import contacts_svc.visits.jobs
import contacts_svc.washing.api
import contacts_svc.washing.jobs
from contacts_svc.intake.limits import LeadLimits
from contacts_svc.model_registry import metadata
from contacts_svc.settings import ContactsSettings
from kantis_kit.consumer import handlers_in
from kantis_kit.service import ServiceSpec
from kantis_kit.settings import ServiceSettings
from kantis_kit.timers import jobs_in, timers_in


def _extras(settings: ServiceSettings) -> Mapping[type, Any]:
    given = settings if isinstance(settings, ContactsSettings) else ContactsSettings()
    return {LeadLimits: LeadLimits.from_settings(given)}


SPEC = ServiceSpec(
    name="contacts",
    title="Contacts",
    settings=ContactsSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    routers=[
        contacts_svc.people.api.router,
        contacts_svc.people.api.identifiers,
        contacts_svc.people.api.addresses,
        contacts_svc.fields.api.router,
        contacts_svc.fields.api.of_contact,
        contacts_svc.organisations.api.router,
        contacts_svc.organisations.api.of_contact,
        contacts_svc.permissions.api.router,
        contacts_svc.permissions.api.of_contact,
        contacts_svc.permissions.api.everybody,
        contacts_svc.permissions.api.topics,
        contacts_svc.washing.api.router,
        contacts_svc.selfservice.api.router,
        contacts_svc.intake.api.router,
        contacts_svc.intake.api.claims,
        contacts_svc.visits.api.router,
        contacts_svc.visits.api.of_contact,
        contacts_svc.imports.api.router,
        contacts_svc.exports.api.router,
        contacts_svc.segments.api.router,
        contacts_svc.segments.api.of_contact,
        contacts_svc.privacy.api.router,
        contacts_svc.privacy.api.overview,
        contacts_svc.dossier.api.router,
        contacts_svc.dossier.api.everything,
        contacts_svc.quality.api.router,
        contacts_svc.quality.api.merges,
        contacts_svc.quality.api.reports,
        contacts_svc.interactions.api.router,
        contacts_svc.interactions.api.of_contact,
        contacts_svc.insights.api.router,
        contacts_svc.insights.api.of_contact,
        contacts_svc.value.api.router,
        contacts_svc.value.api.of_contact,
        contacts_svc.timeline.api.router,
        contacts_svc.scores.api.router,
    ],
    public={
        "/f": [contacts_svc.intake.api.forms],
        "/v": [contacts_svc.visits.api.pages],
        "/p": [
            contacts_svc.intake.api.confirmations,
            contacts_svc.selfservice.api.pages,
            contacts_svc.dossier.api.pages,
            contacts_svc.exports.api.links,
        ],
    },
    fast={"/f": contacts_svc.intake.fast.fast_leads},
    handlers=handlers_in(
        contacts_svc.people.consumers,
        contacts_svc.facts.consumers,
        contacts_svc.permissions.consumers,
        contacts_svc.privacy.consumers,
        contacts_svc.dossier.consumers,
        contacts_svc.segments.consumers,
        contacts_svc.insights.consumers,
        contacts_svc.interactions.consumers,
        contacts_svc.value.consumers,
    ),
    timers=timers_in(
        contacts_svc.people.jobs,
        contacts_svc.intake.jobs,
        contacts_svc.privacy.jobs,
        contacts_svc.imports.jobs,
        contacts_svc.exports.jobs,
        contacts_svc.value.jobs,
        contacts_svc.scores.jobs,
        contacts_svc.washing.jobs,
    ),
    jobs=jobs_in(
        contacts_svc.people.jobs,
        contacts_svc.intake.jobs,
        contacts_svc.visits.jobs,
        contacts_svc.imports.jobs,
        contacts_svc.privacy.jobs,
        contacts_svc.quality.jobs,
        contacts_svc.dossier.jobs,
        contacts_svc.value.jobs,
        contacts_svc.scores.jobs,
        contacts_svc.washing.jobs,
    ),
    loops=[
        contacts_svc.privacy.jobs.erase_again_at_start,
        contacts_svc.segments.jobs.keep_segments,
        contacts_svc.quality.jobs.find_duplicates,
        contacts_svc.exports.jobs.make_workbooks,
        contacts_svc.imports.jobs.take_imports,
    ],
    extras=_extras,
)
