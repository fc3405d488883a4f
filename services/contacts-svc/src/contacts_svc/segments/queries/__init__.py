"""Reads of segments: their conditions, who is in them and why, whom they reach, and what was frozen."""

from contacts_svc.segments.queries.reach import (
    count_duplicates,
    count_nameless,
    count_reach,
    reachable,
)
from contacts_svc.segments.queries.reading import (
    count_members,
    explain,
    find_segment,
    get_segment,
    list_members,
    list_referring,
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
    "count_duplicates",
    "count_members",
    "count_nameless",
    "count_reach",
    "explain",
    "find_segment",
    "get_segment",
    "get_snapshot",
    "list_members",
    "list_referring",
    "list_segments",
    "list_segments_of",
    "lock_segment",
    "membership_of",
    "parse",
    "preview",
    "reachable",
    "read_page",
    "reasons",
    "referred",
    "resolve",
    "segment_out",
]
