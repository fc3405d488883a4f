"""What a register lacks of a person, as a clause: the list by which it is completed."""

from sqlalchemy import ColumnElement, Text, Uuid, column, select, table
from sqlmodel import col

from contacts_svc.people.model import Identifier, Person
from contacts_svc.people.rules import IdentifierKind
from contacts_svc.people.schemas import Missing

# The slice of permissions stands above this one: of its table only this much is known here.
_STATE = table("permission_state", column("person_id", Uuid()), column("state", Text()))
_GRANTED = "granted"


def lacks(missing: Missing) -> ColumnElement[bool]:
    """Return the clause that holds for whoever lacks it."""
    if missing is Missing.CONSENT:
        given = select(_STATE.c.person_id).where(
            _STATE.c.person_id == col(Person.id), _STATE.c.state == _GRANTED
        )
        return ~given.exists()
    if missing.value in set(IdentifierKind):
        held = select(col(Identifier.id)).where(
            col(Identifier.person_id) == col(Person.id), col(Identifier.kind) == missing.value
        )
        return ~held.exists()
    return col(getattr(Person, missing.value)) == ""
