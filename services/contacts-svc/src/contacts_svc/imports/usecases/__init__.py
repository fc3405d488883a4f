"""What is done with files of contacts: looked at, promised, taken in chunk by chunk, and taken back."""

from contacts_svc.imports.usecases.following import follow, list_open
from contacts_svc.imports.usecases.mappings import (
    change_mapping,
    delete_mapping,
    get_mapping_for_update,
    save_mapping,
)
from contacts_svc.imports.usecases.starting import preview, start
from contacts_svc.imports.usecases.taking import (
    FORGET_TIMER,
    NOTIFY_CHANNEL,
    WAITS,
    forget_file,
    give_up,
    take_chunk,
    tidy,
)
from contacts_svc.imports.usecases.trusted import list_sources, set_sources
from contacts_svc.imports.usecases.undoing import UNDO_TIMER, take_back, undo

__all__ = [
    "FORGET_TIMER",
    "NOTIFY_CHANNEL",
    "UNDO_TIMER",
    "WAITS",
    "change_mapping",
    "delete_mapping",
    "follow",
    "forget_file",
    "get_mapping_for_update",
    "give_up",
    "list_open",
    "list_sources",
    "preview",
    "save_mapping",
    "set_sources",
    "start",
    "take_back",
    "take_chunk",
    "tidy",
    "undo",
]
