"""What is done with forms and leads."""

from contacts_svc.intake.usecases.asking import (
    RETRY_TIMER,
    ask_later,
    confirm,
    forget_leads,
    forget_slots,
)
from contacts_svc.intake.usecases.forms import count_machine, keep_file, save_form
from contacts_svc.intake.usecases.guards import forget_guards
from contacts_svc.intake.usecases.knowledge import DOWNLOAD, gives, link_to_file
from contacts_svc.intake.usecases.leads import read_post, take_lead

__all__ = [
    "DOWNLOAD",
    "RETRY_TIMER",
    "ask_later",
    "confirm",
    "count_machine",
    "forget_guards",
    "forget_leads",
    "forget_slots",
    "gives",
    "keep_file",
    "link_to_file",
    "read_post",
    "save_form",
    "take_lead",
]
