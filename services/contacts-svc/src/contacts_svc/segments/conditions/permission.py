"""Clauses about what a person allows."""

from collections.abc import Callable
from typing import Any, Literal

from contacts_svc.segments.conditions.base import Clause, Word, name_of
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, MessageClass, Purpose


class HasPermission(Clause):
    """The ledger says this about a channel and purpose; `none` is silence."""

    op: Literal["permission"]
    channel: Channel
    purpose: Purpose
    state: PermissionState | Literal["none"] = PermissionState.GRANTED


class MayContact(Clause):
    """The table of rules lets a message of this class go out to the person now.

    Everything that `GET /v1/contacts/{contact_id}/permissions/decision` weighs counts: consent, sales, refusals,
    suppressions, pauses, reservation registers.
    """

    op: Literal["may_contact"]
    channel: Channel
    message_class: MessageClass = MessageClass.MARKETING
    topic: Word | None = None


class Decided(Clause):
    """`MayContact` with what decides for everybody: rules, registers and washes of now; never sent or stored."""

    op: Literal["decided"] = "decided"
    asked: MayContact
    context: Any


def _may(node: MayContact) -> str:
    topic = f" about {node.topic}" if node.topic else ""
    return f"may get {node.message_class.value.replace('_', ' ')} by {node.channel.value}{topic}"


WORDS: dict[type, Callable[[Any], str]] = {
    HasPermission: lambda node: f"{node.channel.value} {node.purpose.value}: {name_of(node.state)}",
    MayContact: _may,
    Decided: lambda node: _may(node.asked),
}
