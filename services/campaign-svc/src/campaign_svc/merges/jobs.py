"""Timed work of merges."""

from campaign_svc.merges.usecases import follow
from kantis_kit.merging import look_again

LOOK_AGAIN = look_again(follow)
