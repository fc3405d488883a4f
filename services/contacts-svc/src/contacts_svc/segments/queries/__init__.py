"""Reads of segments: their conditions, who is in them and why, whom they reach, and what was frozen."""

from contacts_svc.segments.queries.reach import count_reach, list_washes, measure
from contacts_svc.segments.queries.reading import (
    count_members,
    count_segment,
    explain,
    find_segment,
    get_segment,
    list_members,
    list_referring,
    list_segment,
    list_segments,
    list_segments_of,
    lock_segment,
    membership_of,
    preview,
    segment_out,
)
from contacts_svc.segments.queries.snapshots import get_snapshot, read_page
from contacts_svc.segments.queries.trees import condition_of, parse, reasons, referred, resolve

__all__ = [
    "condition_of",
    "count_members",
    "count_reach",
    "count_segment",
    "explain",
    "find_segment",
    "get_segment",
    "get_snapshot",
    "list_members",
    "list_referring",
    "list_segment",
    "list_segments",
    "list_segments_of",
    "list_washes",
    "lock_segment",
    "measure",
    "membership_of",
    "parse",
    "preview",
    "read_page",
    "reasons",
    "referred",
    "resolve",
    "segment_out",
]
