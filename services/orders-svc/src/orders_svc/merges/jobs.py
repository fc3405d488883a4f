"""Timed work of merges."""

from kantis_kit.merging import look_again
from orders_svc.merges.usecases import follow

LOOK_AGAIN = look_again(follow)
