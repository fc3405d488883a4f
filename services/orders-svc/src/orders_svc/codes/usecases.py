"""Keep the table of response codes."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, String, Uuid, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from kantis_contracts.campaign import PieceReleasedV1
from kantis_kit.tx import ReadTx, Tx
from orders_svc.codes.errors import CodeMistaken
from orders_svc.codes.model import Code, Release
from orders_svc.codes.queries import find_slips


async def take_pieces(tx: Tx, event: PieceReleasedV1) -> None:
    """Store the codes of released pieces and what they offer; a code that is known stays as it is."""
    offer = event.offer
    await tx.execute(
        insert(Release)
        .values(
            launch_id=event.launch_id,
            cell_id=event.cell_id,
            campaign_id=event.campaign_id,
            campaign_name=event.campaign_name,
            product_id=offer.product_id if offer else None,
            offer_name=offer.name if offer else "",
            offer_price_minor=offer.price_minor if offer else None,
            offer_currency=offer.currency if offer else None,
            pieces=len(event.items),
            expected_response_pct=event.expected_response_pct,
            released_at=tx.clock.now(),
        )
        .on_conflict_do_update(
            index_elements=[col(Release.launch_id), col(Release.cell_id)],
            set_={
                "pieces": col(Release.pieces) + len(event.items),
                "released_at": tx.clock.now(),
            },
        )
    )
    pieces = sorted(event.items, key=lambda piece: piece.response_code)
    new = (
        func.unnest(
            cast([piece.response_code for piece in pieces], ARRAY(String)),
            cast([piece.piece_id for piece in pieces], ARRAY(Uuid[UUID]())),
            cast([piece.person_id for piece in pieces], ARRAY(Uuid[UUID]())),
        )
        .table_valued(
            column("response_code", String), column("piece_id", Uuid), column("person_id", Uuid)
        )
        .render_derived()
    )
    rows = select(
        new.c.response_code,
        new.c.piece_id,
        new.c.person_id,
        literal(event.launch_id, Uuid),
        literal(event.cell_id, Uuid),
    )
    columns = ["response_code", "piece_id", "person_id", "launch_id", "cell_id"]
    statement = insert(Code).from_select(columns, rows)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[col(Code.response_code)],
            set_={name: statement.excluded[name] for name in columns[1:]},
            where=col(Code.piece_id).is_(None),
        )
    )


async def refuse_slips(tx: ReadTx, codes: Iterable[str]) -> None:
    """Raise `CodeMistaken` for codes that somebody has misread or mistyped; what may be meant is named."""
    for code, near in sorted((await find_slips(tx, codes)).items()):
        raise CodeMistaken(
            f"code: {sentence_on(code, near)}",
            errors=[{"in": "body", "field": "code", "message": sentence_on(code, near)}],
            near=near,
        )


def sentence_on(code: str, near: Sequence[str]) -> str:
    """Return what to look at on the piece, for somebody who has keyed a code with a wrong character."""
    meant = f"; codes that differ by one slip: {', '.join(near)}" if near else ""
    return (
        f"the check character of {code} does not fit: two characters are swapped or one is misread"
        f" (look at 0 and O, 1 and I, 5 and S, 8 and B on the piece){meant}"
    )


async def await_codes(tx: Tx, codes: Iterable[str]) -> None:
    """Note codes that came before their pieces.

    Waits for a delivery of pieces that is under way with the same codes; look the codes up again after it.
    """
    rows = [{"response_code": code} for code in sorted(set(codes))]
    if rows:
        await tx.execute(insert(Code).values(rows).on_conflict_do_nothing())
