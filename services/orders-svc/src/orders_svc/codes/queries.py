"""Look response codes up."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import String, select
from sqlmodel import col

from kantis_contracts.codes import CODE_LENGTH, is_sound, slips_of
from kantis_kit.db.aliases import placed
from kantis_kit.db.sets import one_of
from kantis_kit.tx import ReadTx
from orders_svc.aliases import person_alias
from orders_svc.base import table_of
from orders_svc.codes.model import Code, Release


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a response code stands for."""

    response_code: str
    piece_id: UUID
    person_id: UUID
    merged_id: UUID | None
    campaign_id: UUID
    cell_id: UUID
    product_id: UUID | None
    offer_name: str
    price_minor: int | None
    currency: str | None


async def find_codes(tx: ReadTx, codes: Iterable[str]) -> dict[str, Resolved]:
    """Return the codes whose pieces are known, by code; they must be normalised.

    Whose piece was merged into another person since answers as that one.
    """
    stood = placed(person_alias, table_of(Code))
    rows = await tx.execute(
        select(
            col(Code.response_code),
            col(Code.piece_id),
            stood.stands.label("person_id"),
            stood.came.label("merged_id"),
            col(Release.campaign_id),
            col(Release.cell_id),
            col(Release.product_id),
            col(Release.offer_name),
            col(Release.offer_price_minor).label("price_minor"),
            col(Release.offer_currency).label("currency"),
        )
        .select_from(stood.source)
        .join(
            Release,
            (col(Release.launch_id) == col(Code.launch_id))
            & (col(Release.cell_id) == col(Code.cell_id)),
        )
        .where(col(Code.response_code) == one_of(sorted(set(codes)), String()))
    )
    return {row.response_code: Resolved(**row._mapping) for row in rows}  # noqa: SLF001 - public, see SQLAlchemy


async def find_slips(tx: ReadTx, codes: Iterable[str]) -> dict[str, list[str]]:
    """Return of codes that nobody carries and whose check character does not fit the codes that may be meant.

    They must be normalised. Codes of another length than ours have no check character, and are left out.
    """
    odd = {code for code in codes if len(code) == CODE_LENGTH and not is_sound(code)}
    if not odd:
        return {}
    near = {code: slips_of(code) for code in odd}
    asked = odd.union(*near.values())
    known = set(
        await tx.scalars(
            select(col(Code.response_code)).where(
                col(Code.response_code) == one_of(sorted(asked), String()),
                col(Code.piece_id).is_not(None),
            )
        )
    )
    return {code: sorted(near[code] & known) for code in odd - known}


async def find_code(tx: ReadTx, code: str) -> Resolved | None:
    """Return what a code stands for, or None; it must be normalised."""
    return (await find_codes(tx, [code])).get(code)
