"""Which fields of merges leave the service."""

from collections.abc import Iterable

from contacts_svc.quality.model import Merge
from kantis_contracts.contacts import PersonMerge, PersonMergedV1


def person_merged(row: Merge, *, version: int) -> PersonMergedV1:
    """Tell of a merge, or that it was undone; `version` is that of the merged record."""
    return persons_merged([(row, version)])


def persons_merged(rows: Iterable[tuple[Merge, int]]) -> PersonMergedV1:
    """Tell of merges, each with the version of the merged record."""
    return PersonMergedV1(
        items=tuple(
            PersonMerge(
                merge_id=row.id,
                merged_id=row.merged_id,
                known_id=row.known_id,
                version=version,
                is_undone=row.undone_at is not None,
                at=row.undone_at or row.merged_at,
            )
            for row, version in rows
        )
    )
