"""Plan a campaign: its words, offers and cells, while it is a draft."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.campaigns import codes, queries
from campaign_svc.campaigns.errors import (
    CampaignUnknown,
    CellUnknown,
    CurrencyMismatch,
    KeyCodeTaken,
    NotDraft,
    OfferInUse,
    OfferUnknown,
    ProductUnknown,
)
from campaign_svc.campaigns.model import Approval, Campaign, Cell, Offer, Preflight
from campaign_svc.campaigns.schemas import (
    CampaignIn,
    CampaignPatch,
    CampaignState,
    CellIn,
    CellPatch,
    OfferIn,
    RouteIn,
)
from campaign_svc.products.queries import find_product, products_by_id
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

_DRAWS = 20  # four characters give a million keys: twenty draws fail only when nearly all are used


async def plan_campaign(tx: Tx, body: CampaignIn) -> Campaign:
    """Begin a draft."""
    now = tx.clock.now()
    campaign = Campaign(
        id=new_id(),
        name=body.name,
        segment_id=body.segment_id,
        purpose=body.purpose.value,
        channel=body.channel.value,
        topic=body.topic,
        priority=body.priority,
        list_id=body.list_id,
        budget_minor=body.budget_minor,
        currency=body.currency,
        not_after=body.not_after,
        expected_response_pct=body.expected_response_pct,
        when_short=body.when_short.value,
        capacity=body.capacity,
        hold_out_pct=body.hold_out_pct,
        without_segments=[str(one) for one in body.without_segments],
        without_debtors=body.without_debtors,
        experiment=body.experiment.model_dump(mode="json") if body.experiment else None,
        state=CampaignState.DRAFT.value,
        version=1,
        created_at=now,
        updated_at=now,
    )
    tx.add(campaign)
    return campaign


async def copy_campaign(tx: Tx, campaign_id: UUID, *, later: timedelta) -> Campaign:
    """Begin a draft that says the same so much later: its offers ask the prices of then, its cells get new key codes.

    Raises:
        CampaignUnknown: there is no such campaign.
    """
    origin = await queries.get_campaign(tx, campaign_id)
    now = tx.clock.now()
    changes = {
        "id": new_id(),
        "state": CampaignState.DRAFT.value,
        "version": 1,
        "not_after": origin.not_after + later if origin.not_after else None,
        "created_at": now,
        "updated_at": now,
    }
    draft = Campaign(**{**origin.model_dump(), **changes})
    tx.add(draft)
    await tx.flush()  # its parts refer to it
    offers: dict[UUID | None, UUID] = {}
    for offer in await queries.offers_of(tx, campaign_id):
        offers[offer.id] = new_id()
        fresh = {"id": offers[offer.id], "campaign_id": draft.id, "launched_price_minor": None}
        tx.add(Offer(**{**offer.model_dump(), **fresh}))
    await tx.flush()
    for cell in await queries.cells_of(tx, campaign_id):
        values = cell.model_dump(exclude={"id", "campaign_id", "key_code", "offer_id"})
        await _insert_cell(
            tx, {**values, "campaign_id": draft.id, "offer_id": offers.get(cell.offer_id)}
        )
    return draft


async def lock_campaign(tx: Tx, campaign_id: UUID) -> Campaign:
    """Return the campaign, locked until the commit. Raises `CampaignUnknown`."""
    rows = await tx.scalars(
        select(Campaign).where(col(Campaign.id) == campaign_id).with_for_update()
    )
    campaign: Campaign | None = rows.first()
    if campaign is None:
        raise CampaignUnknown(f"There is no campaign {campaign_id}")
    return campaign


async def lock_draft(tx: Tx, campaign_id: UUID) -> Campaign:
    """Return the draft, locked until the commit.

    Raises:
        CampaignUnknown: there is no such campaign.
        NotDraft: it has been launched.
    """
    campaign = await lock_campaign(tx, campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise NotDraft(f"The campaign is {campaign.state}; plan a new one")
    return campaign


def _touch(tx: Tx, campaign: Campaign) -> None:
    campaign.version += 1
    campaign.updated_at = tx.clock.now()


async def change_campaign(tx: Tx, draft: Campaign, body: CampaignPatch) -> Campaign:
    """Change a locked draft; its pre-flights become stale.

    Raises:
        CurrencyMismatch: an offer is priced in the currency that the campaign would leave.
    """
    sent = body.model_dump(include=body.model_fields_set)
    stored = body.model_dump(mode="json", include={"without_segments", "experiment"} & sent.keys())
    for name, value in (sent | stored).items():
        setattr(draft, name, getattr(value, "value", value))
    for offer in await queries.offers_of(tx, draft.id):
        if offer.currency != draft.currency:
            raise CurrencyMismatch(
                f"The offer {offer.name!r} is in {offer.currency}, the campaign would be in "
                f"{draft.currency}; remove the offer first"
            )
    _touch(tx, draft)
    return draft


async def delete_campaign(tx: Tx, draft: Campaign) -> None:
    """Delete a locked draft with everything that belongs to it."""
    for table in (Cell, Offer, Preflight, Approval):
        await tx.execute(delete(table).where(col(table.campaign_id) == draft.id))
    await tx.execute(delete(Campaign).where(col(Campaign.id) == draft.id))


async def add_offer(tx: Tx, draft: Campaign, body: OfferIn) -> Offer:
    """Add an offer of a product that the catalogue has told us of.

    Raises:
        ProductUnknown: the copy of the catalogue has no such product.
        CurrencyMismatch: the product is priced in another currency than the campaign.
    """
    product = await find_product(tx, body.product_id)
    if product is None or not product.is_active:
        raise ProductUnknown(
            f"product_id: the catalogue has no product {body.product_id} for sale; "
            "add it under /v1/products or wait a moment if it is new"
        )
    if product.currency != draft.currency:
        raise CurrencyMismatch(
            f"{product.name} is priced in {product.currency}, the campaign counts in {draft.currency}"
        )
    known = await products_by_id(tx, body.packaging)
    for missing in (one for one in body.packaging if one not in known):
        raise ProductUnknown(
            f"packaging: the catalogue has no product {missing}; add it under /v1/products"
        )
    offer = Offer(
        id=new_id(),
        campaign_id=draft.id,
        product_id=product.product_id,
        name=body.name or product.name,
        own_price_minor=body.price_minor,
        currency=product.currency,
        packaging=[str(one) for one in body.packaging],
    )
    tx.add(offer)
    _touch(tx, draft)
    return offer


async def remove_offer(tx: Tx, draft: Campaign, offer_id: UUID) -> None:
    """Take an offer out of a draft.

    Raises:
        OfferUnknown: the campaign has no such offer.
        OfferInUse: a cell names it.
    """
    await _require_offer(tx, draft.id, offer_id)
    users = await tx.scalar(select(col(Cell.name)).where(col(Cell.offer_id) == offer_id).limit(1))
    if users is not None:
        raise OfferInUse(f"The cell {users!r} offers it; give the cell another offer first")
    await tx.execute(delete(Offer).where(col(Offer.id) == offer_id))
    _touch(tx, draft)


async def _require_offer(tx: Tx, campaign_id: UUID, offer_id: UUID | None) -> None:
    if offer_id is None:
        return
    offer = await tx.get(Offer, offer_id)
    if offer is None or offer.campaign_id != campaign_id:
        raise OfferUnknown(f"offer_id: the campaign has no offer {offer_id}")


async def add_cell(tx: Tx, draft: Campaign, body: CellIn) -> Cell:
    """Add a cell; without a key code it gets one that nobody has.

    Raises:
        OfferUnknown: the campaign has no such offer.
        KeyCodeTaken: a cell of this or another campaign has the key code.
    """
    await _require_offer(tx, draft.id, body.offer_id)
    _touch(tx, draft)
    values = {"campaign_id": draft.id, **body.model_dump(exclude={"key_code", "routes"})}
    return await _insert_cell(tx, {**values, **_words(body.routes)}, body.key_code)


async def _insert_cell(tx: Tx, columns: dict[str, Any], key_code: str | None = None) -> Cell:
    wanted = [key_code] if key_code else [codes.draw_key() for _ in range(_DRAWS)]
    for drawn in wanted:
        values = {"id": new_id(), **columns, "key_code": drawn}
        made = await tx.scalar(
            insert(Cell)
            .values(**values)
            .on_conflict_do_nothing(index_elements=["key_code"])
            .returning(col(Cell.id))
        )
        if made is not None:
            return Cell(**values)
    raise KeyCodeTaken(f"key_code: {wanted[-1]} belongs to another cell; choose another one")


async def _lock_cell(tx: Tx, draft: Campaign, cell_id: UUID) -> Cell:
    cell = await tx.get(Cell, cell_id)
    if cell is None or cell.campaign_id != draft.id:
        raise CellUnknown(f"The campaign has no cell {cell_id}")
    return cell


async def change_cell(tx: Tx, draft: Campaign, cell_id: UUID, body: CellPatch) -> Cell:
    """Change a cell of a locked draft.

    Raises:
        CellUnknown: the campaign has no such cell.
        OfferUnknown: the campaign has no such offer.
    """
    cell = await _lock_cell(tx, draft, cell_id)
    await _require_offer(tx, draft.id, body.offer_id)
    changes = body.model_dump(include=body.model_fields_set - {"routes"})
    if changes.keys() & {"template_id", "cost_per_piece_minor"}:
        changes["routes"] = []  # one way of speaking replaces the other
    for name, value in (changes | _words(body.routes or [])).items():
        setattr(cell, name, value)
    _touch(tx, draft)
    return cell


def _words(routes: Sequence[RouteIn]) -> dict[str, Any]:
    """Return the columns of a cell that has routes: the first one stands where a single one would."""
    if not routes:
        return {}
    first = routes[0]
    return {
        "template_id": first.template_id,
        "cost_per_piece_minor": first.cost_per_piece_minor,
        "routes": [one.model_dump(mode="json") for one in routes],
    }


async def remove_cell(tx: Tx, draft: Campaign, cell_id: UUID) -> None:
    """Take a cell out of a locked draft. Raises `CellUnknown`."""
    cell = await _lock_cell(tx, draft, cell_id)
    await tx.delete(cell)
    _touch(tx, draft)
