"""Clauses about what a person allows."""

from collections.abc import Callable
from typing import Any, Literal

from contacts_svc.segments.conditions.base import Clause, name_of
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, Purpose


class HasPermission(Clause):
    """The ledger says this about a channel and purpose; `none` is silence."""

    op: Literal["permission"]
    channel: Channel
    purpose: Purpose
    state: PermissionState | Literal["none"] = PermissionState.GRANTED


WORDS: dict[type, Callable[[Any], str]] = {
    HasPermission: lambda node: f"{node.channel.value} {node.purpose.value}: {name_of(node.state)}",
}
