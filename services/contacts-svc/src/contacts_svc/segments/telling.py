"""Why people came into a segment: the clauses that held, with their facts, for many people in one statement.

Who is asked for and when are parameters: `ids` and `now`; so a statement is put together once for a condition.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, Select, Uuid, any_, bindparam, select

from contacts_svc.base import Moment
from contacts_svc.segments import compile as sql
from contacts_svc.segments.conditions import Node, describe, every, parts_of
from kantis_contracts.contacts import ClauseFacts


@dataclass(frozen=True, slots=True)
class Why:
    """A statement, and how its rows are read."""

    statement: Select[Any]
    words: Sequence[str]

    def read(self, row: Sequence[Any]) -> list[ClauseFacts]:
        """Return what each clause says of the person of a row."""
        return [
            ClauseFacts(clause=word, holds=bool(row[2 * at + 1]), facts=row[2 * at + 2])
            for at, word in enumerate(self.words)
        ]


def why(condition: Node) -> Why:
    """Put together what every clause that compares says of people."""
    now: Any = bindparam("now", type_=Moment)
    clauses = [node for node in every(condition) if not parts_of(node)]
    columns = [
        column
        for node in clauses
        for column in (sql.clause(node, now=now), sql.facts_of(node, now=now))
    ]
    statement = select(
        sql.person.c.id, *(one.label(f"x{at}") for at, one in enumerate(columns))
    ).where(sql.person.c.id == any_(bindparam("ids", type_=ARRAY(Uuid()))))
    return Why(statement, [describe(node) for node in clauses])
