"""From a row of the ledger to the words of its letter: the version's text, the offer, the code, the address."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from kantis_kit.tx import ReadTx
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.dispatch.model import dispatch
from messaging_svc.letters.model import letter_piece
from messaging_svc.letters.sheets import Address, Sender, Sheet, return_code
from messaging_svc.links import LinkMaker
from messaging_svc.settings import MessagingSettings

_OF_PIECE = tuple(column for column in letter_piece.c if column.name != "person_id")
_OF_MESSAGE = tuple(
    dispatch.c[name] for name in (
        "id", "fence", "claimed_until", "attempts", "origin", "is_marketing", "purpose", "person_id", "source_id",
        "response_code", "template_version_id", "builtin", "facts", "rfc_message_id",
    )
)  # fmt: skip


async def rows_of(
    tx: ReadTx, batch_id: UUID, *, after: int = 0, limit: int = 1, only: UUID | None = None
) -> Sequence[Row[Any]]:
    """Return the pieces of a batch behind a position, in their order; or one of them."""
    statement = (
        select(*_OF_MESSAGE, *_OF_PIECE)
        .join(letter_piece, letter_piece.c.message_id == dispatch.c.id)
        .where(letter_piece.c.batch_id == batch_id, letter_piece.c.position > after)
        .order_by(letter_piece.c.position)
        .limit(limit)
    )
    if only is not None:
        statement = statement.where(letter_piece.c.message_id == only)
    return (await tx.execute(statement)).all()


class Writer:
    """Writes letters; holds the versions and cells of what is being printed."""

    def __init__(self, settings: MessagingSettings) -> None:
        head = Letterhead(settings.mail_from, settings.company)
        self._links = LinkMaker.from_settings(settings)
        self._letters = Letters(head, self._links)
        self.sender = Sender(
            company=settings.company,
            return_address=settings.letter_return_address,
            country=settings.letter_country,
            contact=head.address,
            track_agreement=settings.letter_track_agreement,
            track_grade=settings.letter_track_grade,
        )

    async def prepare(self, tx: ReadTx, rows: Iterable[Row[Any]]) -> None:
        """Load the versions and cells that these rows need."""
        self._letters.forget_old()
        await self._letters.prepare(tx, [Item.of(row, email="") for row in rows])

    def language_of(self, row: Row[Any]) -> str:
        """Return the language in which a letter can be written for a row.

        Raises:
            CannotRender: no letter can be written for this recipient.
        """
        return self._letters.write_letter(Item.of(row, email=""))[0].value

    def sheet(self, row: Row[Any], batch_number: int) -> Sheet:
        """Return what is printed for a piece.

        Raises:
            CannotRender: no letter can be written for this recipient.
        """
        language, letter = self._letters.write_letter(Item.of(row, email=""))
        return Sheet(
            position=row.position,
            address=Address(row.name, row.street, row.postal_code, row.city, row.country),
            language=language,
            letter=letter,
            response_code=row.response_code,
            response_url=self._links.response(row.response_code),
            return_code=return_code(self.sender, row.country, batch_number, row.position),
            is_marketing=row.is_marketing,
        )
