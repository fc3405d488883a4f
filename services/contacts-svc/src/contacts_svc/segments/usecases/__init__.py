"""What is done with segments: kept, filled by hand, counted, frozen."""

from contacts_svc.segments.usecases.freezing import answer_preflights, freeze_audiences
from contacts_svc.segments.usecases.listing import (
    put_on_list,
    take_listings,
    take_off_list,
)
from contacts_svc.segments.usecases.rehearsing import rehearse
from contacts_svc.segments.usecases.rules import follow_rules
from contacts_svc.segments.usecases.saving import change_segment, close_segment, make_segment

__all__ = [
    "answer_preflights",
    "change_segment",
    "close_segment",
    "follow_rules",
    "freeze_audiences",
    "make_segment",
    "put_on_list",
    "rehearse",
    "take_listings",
    "take_off_list",
]
