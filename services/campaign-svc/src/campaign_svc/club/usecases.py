"""Join and leave the club; set its terms and rules; spend points on benefits."""

from uuid import UUID

from sqlalchemy import select
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.campaigns.codes import draw_code
from campaign_svc.club import events, messages, points, queries
from campaign_svc.club.errors import BenefitUnknown, MemberUnknown, TermsOld
from campaign_svc.club.model import ClubRules, ClubTerms, Member
from campaign_svc.club.schemas import BenefitOut, JoinIn, RulesIn, TermsIn
from campaign_svc.coupons.queries import find_series
from campaign_svc.coupons.usecases import give_one
from kantis_contracts.codes import normal
from kantis_contracts.values import Language
from kantis_kit.db import aliases
from kantis_kit.tx import Tx


async def publish_terms(tx: Tx, body: TermsIn) -> ClubTerms:
    """Publish new terms; who is a member stays one under the terms that they joined by."""
    newest = await tx.scalar(
        select(col(ClubTerms.version)).order_by(col(ClubTerms.version).desc()).limit(1)
    )
    terms = ClubTerms(
        version=(newest or 0) + 1,
        texts={language.value: text for language, text in body.texts.items()},
        published_by=tx.actor,
        published_at=tx.clock.now(),
    )
    tx.add(terms)
    tx.audit("club.terms", str(terms.version))
    return terms


async def set_rules(tx: Tx, body: RulesIn) -> ClubRules:
    """Set how points are earned from now on; what is earned stays as it was earned.

    Raises:
        SeriesUnknown: a benefit is a coupon of a series that there is not.
    """
    for benefit in body.benefits:
        if benefit.series_id is not None:
            await find_series(tx, benefit.series_id)
    values = body.model_dump(mode="json")
    now = tx.clock.now()
    rules: ClubRules | None = await tx.scalar(select(ClubRules).with_for_update())
    if rules is None:
        rules = ClubRules(id=1, expired_until=now, changed_at=now, **values)
        tx.add(rules)
    for name, value in values.items():
        setattr(rules, name, value)
    rules.changed_at = now
    tx.audit("club.rules", "club")
    return rules


async def join(tx: Tx, body: JoinIn) -> str:
    """Make somebody a member under the terms that they were shown; return the number. Who is one keeps theirs.

    It is a contract about points and benefits: it gives no permission to advertise, and changes none.

    Raises:
        NoTerms: there is nothing to agree to.
        TermsOld: the terms have changed since they were shown.
    """
    terms = await queries.get_terms(tx)
    known = await aliases.resolve(tx, person_alias, [body.person_id])
    person_id = known.get(body.person_id, body.person_id)
    await points.lock(tx, person_id)
    held: str | None = await tx.scalar(
        select(col(Member.number))
        .where(col(Member.person_id) == person_id, col(Member.left_at).is_(None))
        .order_by(col(Member.joined_at))
        .limit(1)
    )
    if held is not None:
        return held
    if body.terms_version != terms.version:
        raise TermsOld(
            f"terms_version: the present terms are version {terms.version}; show these first"
        )
    member = Member(
        number=draw_code(),
        person_id=person_id,
        terms_version=terms.version,
        place=body.place,
        joined_at=tx.clock.now(),
    )
    tx.add(member)
    tx.stage(events.member_changed(member))
    await tx.flush()  # what is shown next is read by a statement of its own
    await messages.welcome(tx, member)
    return member.number


async def leave(tx: Tx, number: str) -> None:
    """End a membership; the ledger stays as it is. Raises `MemberUnknown`."""
    member = await tx.get(Member, normal(number))
    if member is None:
        raise MemberUnknown(f"Nobody is a member under {number[:40]}")
    if member.left_at is None:
        member.left_at = tx.clock.now()
        tx.stage(events.member_changed(member))
        await tx.flush()  # what is shown next is read by a statement of its own


async def take_benefit(tx: Tx, number: str, key: str, language: Language) -> BenefitOut:
    """Hand out a benefit: its points are spent, and its coupon is given when it is one.

    Raises:
        MemberUnknown: nobody is a member under this number.
        BenefitUnknown: there is no such benefit, or the member's tier does not have it.
        PointsShort: the balance is lower than its price.
        SeriesClosed: its coupons are called off.
    """
    member = await queries.get_member(tx, number, language=language)
    rules = await queries.find_rules(tx)
    theirs = {one.key: one for one in queries.benefits_of(rules, member)}
    wanted = theirs.get(key)
    if wanted is None:
        raise BenefitUnknown(
            f"{key[:60]}: the tier {member.tier} has {', '.join(theirs) or 'none'}"
        )
    balance = member.balance
    if wanted.points:
        balance = await points.spend(tx, member.person_id, wanted.points, wanted.name, language)
    code = None
    if wanted.series_id is not None:
        code = await give_one(tx, wanted.series_id, wanted.name)
    return BenefitOut(
        key=wanted.key, name=wanted.name, points=wanted.points, code=code, balance=balance
    )


async def spend_points(tx: Tx, number: str, amount: int, reason: str, language: Language) -> None:
    """Spend a member's points. Raises `MemberUnknown` and `PointsShort`."""
    member = await queries.get_member(tx, number, language=language)
    await points.spend(tx, member.person_id, amount, reason, language)


async def adjust_points(tx: Tx, number: str, amount: int, reason: str) -> None:
    """Give or take points by hand; the balance may become negative. Raises `MemberUnknown`."""
    member = await queries.get_member(tx, number, language=Language.EN)
    rules = await queries.find_rules(tx)
    await points.adjust(tx, member.person_id, amount, reason, rules)
    tx.audit("club.adjust", member.number, points=amount, reason=reason)


async def person_of(tx: Tx, number: str) -> UUID:
    """Return who a member is. Raises `MemberUnknown`."""
    return (await queries.get_member(tx, number, language=Language.EN)).person_id
