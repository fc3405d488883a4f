"""Every table of the service, for its migrations."""

from messaging_svc.aliases import person_alias
from messaging_svc.base import metadata
from messaging_svc.bounces import model as bounces
from messaging_svc.caps import model as caps
from messaging_svc.conversations import model as conversations
from messaging_svc.dispatch import model as dispatch
from messaging_svc.holds import model as holds
from messaging_svc.hours import model as hours
from messaging_svc.inbound import model as inbound
from messaging_svc.letters import model as letters
from messaging_svc.mailboxes import model as mailboxes
from messaging_svc.openings import model as openings
from messaging_svc.phone import model as phone
from messaging_svc.products import model as products
from messaging_svc.quarantine import model as quarantine
from messaging_svc.register import model as register
from messaging_svc.relays import model as relays
from messaging_svc.senders import model as senders
from messaging_svc.sms import model as sms
from messaging_svc.templates import model as templates
from messaging_svc.tracking import model as tracking
from messaging_svc.web import model as web

TABLES = (
    register,
    templates,
    dispatch,
    letters,
    phone,
    tracking,
    quarantine,
    person_alias,
    hours,
    openings,
    caps,
    holds,
    sms,
    inbound,
    bounces,
    mailboxes,
    products,
    relays,
    conversations,
    senders,
    web,
)

__all__ = ["TABLES", "metadata"]
