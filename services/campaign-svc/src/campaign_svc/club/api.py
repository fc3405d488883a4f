"""The club: terms, rules, members, their points and benefits."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from zxingcpp import BarcodeFormat, create_barcode

from campaign_svc.club import messages, points, queries, usecases
from campaign_svc.club.schemas import (
    AdjustIn,
    Benefit,
    BenefitOut,
    ClubMessageIn,
    ClubMessageOut,
    EntryOut,
    JoinIn,
    MemberOut,
    Occasion,
    ReturnsIn,
    RulesIn,
    RulesOut,
    SpendIn,
    TermsIn,
    TermsOut,
)
from kantis_contracts.values import Language
from kantis_kit.auth.policy import needs
from kantis_kit.errors import NotFound
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/club", tags=["club"])
members = Router(prefix="/v1/club/members", tags=["club"])
READ, WRITE, TILL = needs("campaign:read"), needs("campaign:write"), needs("campaign:redeem")
Speaks = Annotated[Language, Query(description="Of the sentences in the answer")]
Asked = Annotated[str, Query(max_length=100)]


@router.post("/terms", policy=WRITE, status_code=201)
async def publish_terms(body: TermsIn, tx: Write) -> TermsOut:
    """Publish new terms; members stay members under those that they joined by."""
    return TermsOut.model_validate(await usecases.publish_terms(tx, body))


@router.get("/terms", policy=TILL)
async def get_terms(tx: Read) -> TermsOut:
    """Return the present terms, to be shown to whoever joins."""
    return TermsOut.model_validate(await queries.get_terms(tx))


@router.put("/rules", policy=WRITE)
async def set_rules(body: RulesIn, tx: Write) -> RulesOut:
    """Set how points are earned and expire, the tiers and the benefits."""
    return queries.rules_out(await usecases.set_rules(tx, body))


@router.get("/rules", policy=READ)
async def get_rules(tx: Read) -> RulesOut:
    """Return the rules."""
    rules = await queries.find_rules(tx)
    if rules is None:
        raise NotFound("The club has no rules yet: PUT /v1/club/rules")
    return queries.rules_out(rules)


@router.get("/messages", policy=READ)
async def list_messages(tx: Read) -> list[ClubMessageOut]:
    """List what is done when somebody joins, reaches a tier, or has points that expire soon."""
    return [ClubMessageOut.model_validate(one) for one in await messages.list_chosen(tx)]


@router.put("/messages/{occasion}", policy=WRITE)
async def choose_message(occasion: Occasion, body: ClubMessageIn, tx: Write) -> ClubMessageOut:
    """Say what is done on an occasion from now on: a message, a programme, a task, a coupon."""
    return ClubMessageOut.model_validate(await messages.choose(tx, occasion, body))


@router.delete("/messages/{occasion}", policy=WRITE, status_code=204)
async def choose_nothing(occasion: Occasion, tx: Write) -> None:
    """Do nothing more on an occasion."""
    await messages.choose_nothing(tx, occasion)


@router.post("/returns", policy=TILL, status_code=204)
async def take_back(body: ReturnsIn, tx: Write) -> None:
    """Tell what of orders has come back: its points are taken back, also those that were spent."""
    told: dict[UUID, int] = {}
    for one in body.items:
        told[one.order_id] = max(told.get(one.order_id, 0), one.returned_minor)
    await points.take_back_returned(tx, told)


@members.post("", policy=TILL, status_code=201)
async def join(body: JoinIn, tx: Write, language: Speaks = Language.EN) -> MemberOut:
    """Make somebody a member under the terms that they were shown; a membership is never a consent."""
    return await queries.get_member(tx, await usecases.join(tx, body), language=language)


@members.get("", policy=TILL)
async def identify(
    tx: Read,
    *,
    number: Asked = "",
    phone: Asked = "",
    name: Asked = "",
    language: Speaks = Language.EN,
) -> list[MemberOut]:
    """Find members by number (as keyed, or as a QR code says it), telephone, or the beginning of their name."""
    return await queries.identify(tx, number=number, phone=phone, name=name, language=language)


@members.get("/{number}", policy=TILL)
async def get_member(number: str, tx: Read, language: Speaks = Language.EN) -> MemberOut:
    """Return a member: tier, balance, and how the points stand."""
    return await queries.get_member(tx, number, language=language)


@members.delete("/{number}", policy=WRITE, status_code=204)
async def leave(number: str, tx: Write) -> None:
    """End a membership."""
    await usecases.leave(tx, number)


@members.get("/{number}/qr", policy=READ, response_class=Response)
async def draw_qr(number: str, tx: Read) -> Response:
    """Return the member's number as a QR code (SVG), for a card or a telephone."""
    member = await queries.get_member(tx, number, language=Language.EN)
    drawn = create_barcode(member.number, BarcodeFormat.QRCode, ec_level="M").to_svg()
    return Response(drawn, media_type="image/svg+xml")


@members.get("/{number}/points", policy=READ)
async def list_points(
    number: str,
    tx: Read,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Page[EntryOut]:
    """List the ledger of a member's points, the newest entry first."""
    member = await queries.get_member(tx, number, language=Language.EN)
    return await queries.list_entries(tx, member.person_id, cursor=cursor, limit=limit)


@members.post("/{number}/spendings", policy=TILL)
async def spend_points(
    number: str, body: SpendIn, tx: Write, language: Speaks = Language.EN
) -> MemberOut:
    """Spend points; never more than there are."""
    await usecases.spend_points(tx, number, body.points, body.reason, language)
    return await queries.get_member(tx, number, language=language)


@members.post("/{number}/adjustments", policy=WRITE)
async def adjust_points(
    number: str, body: AdjustIn, tx: Write, language: Speaks = Language.EN
) -> MemberOut:
    """Give or take points by hand, with the reason; it stands in the audit log."""
    await usecases.adjust_points(tx, number, body.points, body.reason)
    return await queries.get_member(tx, number, language=language)


@members.get("/{number}/benefits", policy=TILL)
async def list_benefits(number: str, tx: Read) -> list[Benefit]:
    """List what the member's tier gives, with the price in points."""
    member = await queries.get_member(tx, number, language=Language.EN)
    return queries.benefits_of(await queries.find_rules(tx), member)


@members.post("/{number}/benefits/{key}", policy=TILL)
async def take_benefit(
    number: str, key: str, tx: Write, language: Speaks = Language.EN
) -> BenefitOut:
    """Hand out a benefit: its points are spent, its coupon is given."""
    return await usecases.take_benefit(tx, number, key, language)
