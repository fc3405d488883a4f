"""What is done with permissions: the ledger, suppressions, topics and preferences, and what follows from a sale."""

from contacts_svc.permissions.usecases.ledger import (
    record,
    record_by_hand,
    set_preferences,
    take_withdrawals,
)
from contacts_svc.permissions.usecases.sales import take_sales
from contacts_svc.permissions.usecases.suppressing import (
    lift,
    suppress_address,
    suppress_contact,
)
from contacts_svc.permissions.usecases.wishing import (
    announce_wishes,
    forget_wishes,
    set_topic,
    set_wishes,
    take_stated,
)

__all__ = [
    "announce_wishes",
    "forget_wishes",
    "lift",
    "record",
    "record_by_hand",
    "set_preferences",
    "set_topic",
    "set_wishes",
    "suppress_address",
    "suppress_contact",
    "take_sales",
    "take_stated",
    "take_withdrawals",
]
