"""What is done with files of contacts: looked at, promised, taken in chunk by chunk, and taken back."""

from contacts_svc.imports.usecases.mappings import (
    change_mapping,
    delete_mapping,
    get_mapping_for_update,
    save_mapping,
)
from contacts_svc.imports.usecases.starting import preview, start
from contacts_svc.imports.usecases.taking import (
    CHUNK_TIMER,
    FORGET_TIMER,
    forget_file,
    take_chunk,
    tidy,
)
from contacts_svc.imports.usecases.undoing import UNDO_TIMER, take_back, undo

__all__ = [
    "CHUNK_TIMER",
    "FORGET_TIMER",
    "UNDO_TIMER",
    "change_mapping",
    "delete_mapping",
    "forget_file",
    "get_mapping_for_update",
    "preview",
    "save_mapping",
    "start",
    "take_back",
    "take_chunk",
    "tidy",
    "undo",
]
