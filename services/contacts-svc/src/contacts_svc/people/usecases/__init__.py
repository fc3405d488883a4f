"""What is done with people."""

from contacts_svc.people.usecases.addresses import (
    add_address,
    forget_addresses,
    get_address,
    read_fields,
    remove_address,
    set_by_hand,
)
from contacts_svc.people.usecases.change import (
    change_contact,
    check_custom,
    create_contact,
    make_draft,
)
from contacts_svc.people.usecases.identifiers import (
    add_identifier,
    change_identifier,
    get_identifier,
    remove_identifier,
)
from contacts_svc.people.usecases.reach import Evidence, Target, record_evidence, undo_evidence
from contacts_svc.people.usecases.save import announce, save_drafts

__all__ = [
    "Evidence",
    "Target",
    "add_address",
    "add_identifier",
    "announce",
    "change_contact",
    "change_identifier",
    "check_custom",
    "create_contact",
    "forget_addresses",
    "get_address",
    "get_identifier",
    "make_draft",
    "read_fields",
    "record_evidence",
    "remove_address",
    "remove_identifier",
    "save_drafts",
    "set_by_hand",
    "undo_evidence",
]
