"""Short links of our own: ten signs that name a message and one of its links; where it leads is stored here.

Fifty-nine random bits: with a hundred million links in the world, whoever guesses a thousand times a second meets one
in fifty days, and finds a page that asks and changes nothing.
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import Integer, Text, literal, select
from sqlalchemy.dialects.postgresql import insert

from kantis_kit.db.sets import one_of
from kantis_kit.tx import Tx
from messaging_svc.base import Moment, Uid
from messaging_svc.sets import recordset
from messaging_svc.sms.model import short_link
from messaging_svc.sms.texts import Slot

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
"""No 0, O, 1, I or l: people copy links from one phone to another."""
LENGTH = 10


_MORE_BITS_THAN_A_TOKEN = 96
"""Fifty-nine and a rest: so no sign is more likely than another by more than one in a hundred thousand million."""


def new_token() -> str:
    """Return a token that nobody can guess; there are three to a message, so the system is asked once for each."""
    number, signs = secrets.randbits(_MORE_BITS_THAN_A_TOKEN), []
    for _ in range(LENGTH):
        number, sign = divmod(number, len(_ALPHABET))
        signs.append(_ALPHABET[sign])
    return "".join(signs)


async def make(
    tx: Tx, wanted: Iterable[tuple[UUID, tuple[Slot, ...]]]
) -> Mapping[UUID, Mapping[int, str]]:
    """Return the tokens of the links of messages, by slot; a message that is written again keeps them."""
    rows = [
        {"token": new_token(), "message_id": id_, "slot": slot, "kind": one.kind, "target": one.target}
        for id_, slots in sorted(wanted)
        for slot, one in enumerate(slots)
    ]  # fmt: skip
    found: dict[UUID, dict[int, str]] = defaultdict(dict)
    if not rows:
        return found
    new = recordset(
        "new", rows, token=Text(), message_id=Uid, slot=Integer(), kind=Text(), target=Text()
    )
    columns = ("token", "message_id", "slot", "kind", "target")
    statement = insert(short_link).from_select(
        [*columns, "made_at"],
        select(*(new.c[name] for name in columns), literal(tx.clock.now(), Moment)).select_from(
            new
        ),
    )
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=["message_id", "slot"],
            set_={name: statement.excluded[name] for name in ("kind", "target")},
        )
    )
    stored = await tx.execute(
        select(short_link.c.message_id, short_link.c.slot, short_link.c.token).where(
            short_link.c.message_id == one_of(sorted({row["message_id"] for row in rows}), Uid)
        )
    )
    for row in stored:
        found[row.message_id][row.slot] = row.token
    return found
