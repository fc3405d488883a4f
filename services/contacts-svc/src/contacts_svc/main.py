"""Composition root: which parts make the service."""

from pathlib import Path

import contacts_svc.people.api
import contacts_svc.permissions.api
import contacts_svc.permissions.consumers
from contacts_svc.model_registry import metadata
from contacts_svc.settings import ContactsSettings
from kantis_kit.consumer import handlers_in
from kantis_kit.service import ServiceSpec

SPEC = ServiceSpec(
    name="contacts",
    title="Contacts",
    settings=ContactsSettings,
    migrations=Path(__file__).parents[2] / "migrations",
    metadata=metadata,
    routers=[contacts_svc.people.api.router, contacts_svc.permissions.api.router],
    public={"/p": [contacts_svc.permissions.api.pages]},
    handlers=handlers_in(contacts_svc.permissions.consumers),
)
