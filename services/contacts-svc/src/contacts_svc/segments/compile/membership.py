"""Clauses about lists and other segments, in SQL."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Table, false, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from contacts_svc.base import table_of
from contacts_svc.lists import ListMember
from contacts_svc.segments.compile.base import Facts, Meaning, Now, facts, person
from contacts_svc.segments.conditions.membership import InSegment, OnList
from contacts_svc.touched import Family

_listed: Table = table_of(ListMember)


def _on_list(node: OnList, what: ColumnElement[Any]) -> Select[Any]:
    return (
        select(what)
        .where(_listed.c.segment_id == node.list_id, _listed.c.person_id == person.c.id)
        .correlate(person)
    )


def _facts(node: OnList, _now: Now) -> Facts:
    found = _on_list(node, facts(added_at=_listed.c.added_at, source=_listed.c.source))
    return func.coalesce(found.scalar_subquery(), literal({}, JSONB))


MEANINGS: dict[type, Meaning] = {
    OnList: Meaning(
        Family.LIST,
        lambda node, _now: _on_list(node, _listed.c.person_id).exists(),
        _facts,
    ),
    # The conditions of other segments are put in their place before anything is compiled; one that is left names a
    # segment that is gone, and nobody is in that.
    InSegment: Meaning(Family(0), lambda _node, _now: false(), lambda _node, _now: facts()),
}
