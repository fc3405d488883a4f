"""Why post comes back, what follows for the address, and who does what next.

Source: the groups of PostNord's form for returned letters, and the reasons that the customers of this system named.
"""

from enum import StrEnum

from kantis_contracts.orders import PostKind, PostReason


class NextAction(StrEnum):
    """What somebody does about a piece that came back."""

    FIND_ADDRESS = "find_address"
    CALL = "call"
    DROP = "drop"
    TAKE_IN_GOODS = "take_in_goods"
    NONE = "none"


_ACTIONS = {
    PostReason.INSUFFICIENT: NextAction.FIND_ADDRESS,
    PostReason.NOT_ON_BOX: NextAction.CALL,
    PostReason.MOVED: NextAction.FIND_ADDRESS,
    PostReason.NOT_FOUND: NextAction.FIND_ADDRESS,
    PostReason.NO_SUCH_STREET: NextAction.FIND_ADDRESS,
    PostReason.BOX_FULL: NextAction.CALL,
    PostReason.VACANT: NextAction.FIND_ADDRESS,
    PostReason.NO_BUILDING: NextAction.FIND_ADDRESS,
    PostReason.NO_ACCESS: NextAction.CALL,
    PostReason.REFUSED: NextAction.DROP,
    PostReason.DEAD: NextAction.DROP,
    PostReason.CHANGED_EMPLOYER: NextAction.FIND_ADDRESS,
    PostReason.OTHER: NextAction.CALL,
}


def action_for(kind: PostKind, reason: PostReason, *, has_new_address: bool) -> NextAction:
    """Return what is to be done next: goods are taken in, a new address from the post settles the matter."""
    if kind is PostKind.PARCEL:
        return NextAction.TAKE_IN_GOODS
    if has_new_address:
        return NextAction.NONE
    return _ACTIONS[reason]


SAVES = frozenset({reason for reason, action in _ACTIONS.items() if action is not NextAction.CALL})
"""Reasons after which nothing is sent to the address any more: each such piece is sent once, not every time."""
