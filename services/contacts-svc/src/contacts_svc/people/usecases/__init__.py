"""What is done with people."""

from contacts_svc.people.usecases.change import (
    change_contact,
    check_custom,
    create_contact,
    make_draft,
)
from contacts_svc.people.usecases.save import announce, save_drafts

__all__ = [
    "announce",
    "change_contact",
    "check_custom",
    "create_contact",
    "make_draft",
    "save_drafts",
]
