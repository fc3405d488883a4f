"""Read messages that came in, keywords and polls."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Text, and_, cast, func, select, true

from kantis_kit.tx import ReadTx
from messaging_svc.conversations.model import State, conversation, conversation_message
from messaging_svc.inbound.errors import InboundNotFound
from messaging_svc.inbound.model import SOURCE, inbound_message, keyword, vote
from messaging_svc.inbound.schemas import InboundOut, KeywordOut, PollOut
from messaging_svc.register.model import person_card

_DAY = timedelta(days=1)
_IS_OPEN = and_(inbound_message.c.is_open, conversation.c.state == State.OPEN.value).is_(true())
_SHOWN = (
    select(
        *(
            one
            for one in inbound_message.c
            if one.name in InboundOut.model_fields and one.name != "is_open"
        ),
        _IS_OPEN.label("is_open"),
        conversation_message.c.conversation_id,
    )
    .outerjoin(
        conversation_message,
        and_(
            conversation_message.c.source == SOURCE,
            conversation_message.c.external_id == cast(inbound_message.c.id, Text),
        ),
    )
    .outerjoin(conversation, conversation.c.id == conversation_message.c.conversation_id)
)
"""What came in, and whether it waits for a person still."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who has a number, and their language."""

    person_id: UUID
    language: str


async def find_owners(tx: ReadTx, hashes: Collection[bytes]) -> dict[bytes, list[Owner]]:
    """Return who has these numbers; a household may share one."""
    found = await tx.execute(
        select(person_card.c.phone_hash, person_card.c.person_id, person_card.c.language)
        .where(person_card.c.phone_hash.in_(sorted(hashes)), ~person_card.c.is_erased)
        .order_by(person_card.c.person_id)
    )
    owners: dict[bytes, list[Owner]] = {}
    for row in found:
        owners.setdefault(bytes(row.phone_hash), []).append(Owner(row.person_id, row.language))
    return owners


async def find_keywords(tx: ReadTx, words: Collection[str]) -> dict[str, KeywordOut]:
    """Return those of these words that do something."""
    found = await tx.execute(select(keyword).where(keyword.c.word.in_(sorted(words))))
    return {row.word: KeywordOut.model_validate(row, from_attributes=True) for row in found}


async def count_lately(tx: ReadTx, hashed: bytes, now: datetime) -> int:
    """Return how many messages a number has sent within a day."""
    return int(
        await tx.scalar(
            select(func.count()).where(
                inbound_message.c.from_hash == hashed, inbound_message.c.received_at > now - _DAY
            )
        )
        or 0
    )


async def list_inbound(
    tx: ReadTx,
    *,
    is_open: bool | None,
    kind: str | None,
    person_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[InboundOut]:
    """Return a page of what came in, in the order of its coming."""
    statement = _SHOWN.order_by(inbound_message.c.id).limit(limit)
    for column, wanted in (
        (_IS_OPEN, is_open),
        (inbound_message.c.kind, kind),
        (inbound_message.c.person_id, person_id),
    ):
        if wanted is not None:
            statement = statement.where(column == wanted)
    if after:
        statement = statement.where(inbound_message.c.id > after)
    return [InboundOut.model_validate(row, from_attributes=True) for row in await tx.execute(statement)]  # fmt: skip


async def get_inbound(tx: ReadTx, inbound_id: UUID) -> InboundOut:
    """Return a message that came in.

    Raises:
        InboundNotFound: there is none.
    """
    row = (await tx.execute(_SHOWN.where(inbound_message.c.id == inbound_id))).first()
    if row is None:
        raise InboundNotFound("No message that came in has this id")
    return InboundOut.model_validate(row, from_attributes=True)


async def list_keywords(tx: ReadTx) -> Sequence[KeywordOut]:
    """Return the keywords."""
    found = await tx.execute(select(keyword).order_by(keyword.c.word))
    return [KeywordOut.model_validate(row, from_attributes=True) for row in found]


async def get_poll(tx: ReadTx, poll: str) -> PollOut:
    """Return how people have voted."""
    found = await tx.execute(
        select(vote.c.option, func.count().label("votes"))
        .where(vote.c.poll == poll)
        .group_by(vote.c.option)
        .order_by(vote.c.option)
    )
    options = {row.option: row.votes for row in found}
    return PollOut(poll=poll, votes=sum(options.values()), options=options)
