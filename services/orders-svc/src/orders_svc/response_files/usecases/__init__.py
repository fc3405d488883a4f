"""What is done with files of responses: declared, looked at, promised, taken in row by row, decided on."""

from orders_svc.response_files.usecases.reviewing import decide
from orders_svc.response_files.usecases.starting import declare, preview, start
from orders_svc.response_files.usecases.taking import (
    FORGET_TIMER,
    TAKE_TIMER,
    forget_file,
    path_of,
    take_rows,
    tidy,
)

__all__ = [
    "FORGET_TIMER",
    "TAKE_TIMER",
    "decide",
    "declare",
    "forget_file",
    "path_of",
    "preview",
    "start",
    "take_rows",
    "tidy",
]
