"""What is done with forms and leads."""

from contacts_svc.intake.usecases.asking import (
    RETRY_TIMER,
    ask_later,
    confirm,
    forget_leads,
    forget_slots,
)
from contacts_svc.intake.usecases.forms import count_machine, save_form
from contacts_svc.intake.usecases.leads import take_lead

__all__ = [
    "RETRY_TIMER",
    "ask_later",
    "confirm",
    "count_machine",
    "forget_leads",
    "forget_slots",
    "save_form",
    "take_lead",
]
