"""What is done with declared fields and their values."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Date,
    Integer,
    Numeric,
    Text,
    Uuid,
    delete,
    exists,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from contacts_svc.base import table_of
from contacts_svc.fields import queries
from contacts_svc.fields.errors import FieldInUse, FieldInvalid, FieldTaken, ValuesInvalid
from contacts_svc.fields.model import CustomField, FieldSecret, FieldValue
from contacts_svc.fields.rules import (
    FieldKind,
    ValueRefused,
    choices_of,
    columns_of,
    narrower,
    read_value,
)
from contacts_svc.fields.schemas import FieldBody, FieldIn
from contacts_svc.national import COUNTRIES
from contacts_svc.touched import Family, touch
from kantis_kit.db.sets import column_set
from kantis_kit.tx import Tx

MAX_FIELDS = 500
MAX_FILTERED = 50
RESERVED = frozenset({"schema"})
_RULES_OF: Mapping[FieldKind, frozenset[str]] = {
    FieldKind.TEXT: frozenset({"max_length"}),
    FieldKind.NUMBER: frozenset({"min", "max"}),
    FieldKind.DECIMAL: frozenset({"min", "max", "decimals"}),
    FieldKind.DATE: frozenset({"min", "max"}),
    FieldKind.FLAG: frozenset(),
    FieldKind.CHOICE: frozenset({"choices"}),
    FieldKind.CHOICES: frozenset({"choices"}),
    FieldKind.NATIONAL_ID: frozenset({"country"}),
}


async def declare_field(tx: Tx, body: FieldIn) -> CustomField:
    """Declare a field.

    Raises:
        FieldInvalid: the rules do not fit the kind, or there are too many fields.
        FieldTaken: the key is in use.
    """
    if body.key in RESERVED:
        message = f"key: {body.key!r} is taken by the API itself; choose another"
        raise FieldInvalid(message)
    rules = _check_rules(body.kind, body)
    there = await queries.load(tx)
    if len(there) >= MAX_FIELDS:
        message = f"There are {MAX_FIELDS} fields already; delete those that nobody uses"
        raise FieldInvalid(message)
    if body.is_filtered:
        _check_filtered(there)
    now = tx.clock.now()
    row = CustomField(
        key=body.key,
        kind=body.kind.value,
        titles={key.value: text for key, text in body.titles.items()},
        description=body.description,
        rules=rules,
        is_filtered=body.is_filtered,
        is_closed=body.is_closed,
        created_at=now,
        updated_at=now,
    )
    made = await tx.scalar(
        insert(table_of(CustomField))
        .values(**row.model_dump())
        .on_conflict_do_nothing()
        .returning(table_of(CustomField).c.key)
    )
    if made is None:
        raise FieldTaken("Change that field with PUT, or choose another key")
    tx.audit("fields.declared", body.key, kind=body.kind.value)
    return row


def _check_filtered(there: Mapping[str, CustomField]) -> None:
    if sum(one.is_filtered for one in there.values()) >= MAX_FILTERED:
        message = f"is_filtered: {MAX_FILTERED} fields are indexed already; set another one to false first"
        raise FieldInvalid(message)


def _check_rules(kind: FieldKind, body: FieldBody) -> dict[str, Any]:
    rules = body.rules.model_dump(mode="json", exclude_none=True)
    strange = sorted(rules.keys() - _RULES_OF[kind])
    if strange:
        message = f"rules.{strange[0]}: a field of kind {kind} has no such rule"
        raise FieldInvalid(message)
    if kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        keys = choices_of(rules)
        if not keys or len(set(keys)) < len(keys):
            raise FieldInvalid("rules.choices: name at least one choice, and each once")
    if kind is FieldKind.NATIONAL_ID:
        _check_national(rules, body)
    _check_bounds(kind, rules)
    return rules


def _check_national(rules: Mapping[str, Any], body: FieldBody) -> None:
    if rules.get("country") not in COUNTRIES:
        message = f"rules.country: name whose numbers the field holds: {', '.join(COUNTRIES)}"
        raise FieldInvalid(message)
    if body.is_filtered:
        raise FieldInvalid("is_filtered: nobody is chosen by an identity number; set it to false")


def _check_bounds(kind: FieldKind, rules: Mapping[str, Any]) -> None:
    read: Any = date.fromisoformat if kind is FieldKind.DATE else Decimal
    bounds = {}
    for name in ("min", "max"):
        if name in rules:
            try:
                bounds[name] = read(str(rules[name]))
            except (ValueError, InvalidOperation) as error:
                wanted = "a day such as 2026-12-31" if kind is FieldKind.DATE else "a number"
                message = f"rules.{name}: write {wanted}"
                raise FieldInvalid(message) from error
            if isinstance(bounds[name], Decimal) and not bounds[name].is_finite():
                message = f"rules.{name}: write a number"
                raise FieldInvalid(message)
    if len(bounds) > 1 and bounds["min"] > bounds["max"]:
        raise FieldInvalid("rules.min: is greater than rules.max")


async def change_field(tx: Tx, field: CustomField, body: FieldBody) -> None:
    """Change a locked field. Rules may only be loosened, so that every value that is there keeps to them.

    Raises:
        FieldInvalid: the rules do not fit the kind.
        FieldInUse: values might break the new rules.
    """
    rules = _check_rules(FieldKind(field.kind), body)
    reason = narrower(field.kind, field.rules, rules)
    if reason:
        raise FieldInUse(f"rules: {reason}. Declare another field, or close this one")
    if body.is_filtered and not field.is_filtered:
        _check_filtered(await queries.load(tx))
        await _fill(tx, field)
    if field.is_filtered and not body.is_filtered:
        await tx.execute(delete(table_of(FieldValue)).where(col(FieldValue.key) == field.key))
    field.titles = {key.value: text for key, text in body.titles.items()}
    field.description, field.rules = body.description, rules
    field.is_filtered, field.is_closed = body.is_filtered, body.is_closed
    field.version += 1
    field.updated_at = tx.clock.now()
    tx.audit("fields.changed", field.key, version=field.version)


async def _fill(tx: Tx, field: CustomField) -> None:
    """Index the values that are there already, in one statement."""
    person = CustomField.metadata.tables["person"]
    table = table_of(FieldValue)
    has_it = person.c.custom.has_key(field.key)
    target = ["key", "person_id", "position"]
    if field.kind == FieldKind.CHOICES:
        one = (
            func.jsonb_array_elements_text(person.c.custom[field.key])
            .table_valued("value", with_ordinality="position", name="one")
            .render_derived()
        )
        chosen = (
            select(literal(field.key, Text()), person.c.id, one.c.position, one.c.value)
            .select_from(person.join(one, literal(value=True)))
            .where(has_it)
        )
        await tx.execute(insert(table).from_select([*target, "text_value"], chosen))
        return
    text = person.c.custom[field.key].astext
    name, value = {
        FieldKind.NUMBER: ("number_value", text.cast(Numeric)),
        FieldKind.DECIMAL: ("number_value", text.cast(Numeric)),
        FieldKind.DATE: ("date_value", text.cast(Date)),
    }.get(FieldKind(field.kind), ("text_value", text))
    chosen = select(literal(field.key, Text()), person.c.id, literal(0), value).where(has_it)
    await tx.execute(insert(table).from_select([*target, name], chosen))


async def delete_field(tx: Tx, field: CustomField) -> None:
    """Delete a locked field that nobody has a value of. Raises `FieldInUse`."""
    person = CustomField.metadata.tables["person"]
    used = await tx.scalar(select(exists().where(person.c.custom.has_key(field.key))))
    if used or await queries.holds_secrets(tx, field.key):
        raise FieldInUse("Close it instead (is_closed), or empty its values first")
    await tx.delete(field)
    tx.audit("fields.deleted", field.key)


def check_values(
    declared: Mapping[str, CustomField], given: Mapping[str, object]
) -> dict[str, Any]:
    """Return values in the spelling in which they are kept; None empties a field.

    Raises:
        ValuesInvalid: a field is not declared or closed, or cannot hold the value; it names every such field.
    """
    found: dict[str, Any] = {}
    wrong = []
    for key, value in given.items():
        field = declared.get(key)
        if field is None or (field.is_closed and value is not None):
            reason = "is closed" if field else "is not declared; POST /v1/fields declares it"
            wrong.append((key, reason))
            continue
        try:
            found[key] = None if value is None or value == "" else read_value(field, value)
        except ValueRefused as error:
            wrong.append((key, str(error)))
    if wrong:
        raise ValuesInvalid(
            f"custom.{wrong[0][0][:60]}: {wrong[0][1]}",
            errors=[
                {"in": "body", "field": f"custom.{key[:60]}", "message": reason}
                for key, reason in wrong[:50]
            ],
        )
    return found


def is_secret(declared: Mapping[str, CustomField], key: str) -> bool:
    """Say whether a field holds identity numbers."""
    return declared[key].kind == FieldKind.NATIONAL_ID


async def write_values(
    tx: Tx, declared: Mapping[str, CustomField], changes: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Keep what conditions read, and identity numbers, in step with these changed values; None empties."""
    told = [
        (person_id, key, value)
        for person_id, values in sorted(changes.items())
        for key, value in sorted(values.items())
    ]
    await _write_secrets(tx, [one for one in told if is_secret(declared, one[1])])
    await _write_index(tx, declared, [one for one in told if declared[one[1]].is_filtered])
    await touch(tx, [person_id for person_id, _, _ in told], Family.FIELD)


_Told = tuple[UUID, str, Any]


async def _write_secrets(tx: Tx, told: Sequence[_Told]) -> None:
    table = table_of(FieldSecret)
    await _forget(tx, FieldSecret, told)
    kept = [one for one in told if one[2] is not None]
    if kept:
        rows = column_set(
            "secret",
            {
                "key": (Text(), [key for _, key, _ in kept]),
                "person_id": (Uuid(), [person_id for person_id, _, _ in kept]),
                "value": (Text(), [value for _, _, value in kept]),
            },
        )
        await tx.execute(insert(table).from_select([*rows.c.keys()], select(*rows.c)))


async def _forget(
    tx: Tx, model: type[FieldSecret] | type[FieldValue], told: Sequence[_Told]
) -> None:
    if not told:
        return
    table = table_of(model)
    rows = column_set(
        "gone",
        {
            "key": (Text(), [key for _, key, _ in told]),
            "person_id": (Uuid(), [person_id for person_id, _, _ in told]),
        },
    )
    await tx.execute(
        delete(table).where(
            tuple_(table.c.key, table.c.person_id).in_(select(rows.c.key, rows.c.person_id))
        )
    )


async def _write_index(tx: Tx, declared: Mapping[str, CustomField], told: Sequence[_Told]) -> None:
    await _forget(tx, FieldValue, told)
    kept = [
        (key, person_id, position, columns)
        for person_id, key, value in told
        if value is not None
        for position, columns in enumerate(columns_of(declared[key].kind, value))
    ]
    if not kept:
        return
    rows = column_set(
        "held",
        {
            "key": (Text(), [key for key, _, _, _ in kept]),
            "person_id": (Uuid(), [person_id for _, person_id, _, _ in kept]),
            "position": (Integer(), [position for _, _, position, _ in kept]),
            "text_value": (Text(), [one.text for _, _, _, one in kept]),
            "number_value": (Numeric(), [one.number for _, _, _, one in kept]),
            "date_value": (Date(), [one.day for _, _, _, one in kept]),
        },
    )
    await tx.execute(insert(table_of(FieldValue)).from_select([*rows.c.keys()], select(*rows.c)))


async def show_secret(tx: Tx, person_id: UUID, key: str) -> FieldSecret:
    """Return an identity number, and write down who has looked. Raises `FieldUnknown`."""
    secret = await queries.get_secret(tx, person_id, key)
    tx.audit("fields.secret_shown", str(person_id), key=key)
    return secret


async def forget_values(tx: Tx, person_ids: Sequence[UUID]) -> None:
    """Delete every value of these persons that stands beside the person's row."""
    for model in (FieldSecret, FieldValue):
        table = table_of(model)
        rows = column_set("forgotten", {"person_id": (Uuid(), list(person_ids))})
        await tx.execute(delete(table).where(table.c.person_id.in_(select(rows.c.person_id))))
