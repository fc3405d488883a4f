"""Which fields of merges leave the service."""

from contacts_svc.quality.model import Merge
from kantis_contracts.contacts import PersonMerge, PersonMergedV1


def person_merged(row: Merge, *, version: int) -> PersonMergedV1:
    """Tell of a merge, or that it was undone; `version` is that of the merged record."""
    return PersonMergedV1(
        items=(
            PersonMerge(
                merge_id=row.id,
                merged_id=row.merged_id,
                known_id=row.known_id,
                version=version,
                is_undone=row.undone_at is not None,
                at=row.undone_at or row.merged_at,
            ),
        )
    )
