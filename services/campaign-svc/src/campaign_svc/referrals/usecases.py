"""Give codes, take claims, and reward the first paid order of who came."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from sqlalchemy import func, select, update
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.campaigns.codes import draw_code
from campaign_svc.club import points
from campaign_svc.club.queries import find_rules as find_club_rules
from campaign_svc.club.queries import is_member
from campaign_svc.coupons.queries import find_series
from campaign_svc.coupons.usecases import give
from campaign_svc.purchases.model import PaidOrder
from campaign_svc.purchases.queries import was_customer
from campaign_svc.purchases.usecases import keep_cancelled, keep_paid
from campaign_svc.referrals.checks import WHY, find_fault
from campaign_svc.referrals.errors import (
    NoReferralRules,
    ReferralDecided,
    ReferralUnknown,
    ReferrerUnknown,
)
from campaign_svc.referrals.model import Referral, ReferralRules, Referrer
from campaign_svc.referrals.schemas import DecisionIn, ReferralState, ReferrerOut, RulesIn
from kantis_contracts.codes import normal
from kantis_contracts.orders import OrderCard
from kantis_kit.db import aliases
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx

REASON = "referral"
_DAY = timedelta(days=1)


async def get_rules(tx: ReadTx) -> ReferralRules:
    """Return the rules. Raises `NoReferralRules`."""
    found: ReferralRules | None = await tx.scalar(select(ReferralRules).limit(1))
    if found is None:
        raise NoReferralRules("Say first what a referral is worth: PUT /v1/referrers/rules")
    return found


async def set_rules(tx: Tx, body: RulesIn) -> ReferralRules:
    """Say what referrals are worth from now on. Raises `SeriesUnknown` for coupons that there are not."""
    for series_id in (body.referrer_series_id, body.referred_series_id):
        if series_id is not None:
            await find_series(tx, series_id)
    now = tx.clock.now()
    rules: ReferralRules | None = await tx.scalar(select(ReferralRules).with_for_update())
    if rules is None:
        rules = ReferralRules(id=1, changed_at=now, **body.model_dump())
        tx.add(rules)
    for name, value in body.model_dump().items():
        setattr(rules, name, value)
    rules.changed_at = now
    return rules


async def give_code(tx: Tx, person_id: UUID) -> ReferrerOut:
    """Give somebody a code to pass on; who has one keeps it. Raises `NoReferralRules`."""
    rules = await get_rules(tx)
    person_id = await _known(tx, person_id)
    await points.lock(tx, person_id)
    held: Referrer | None = await tx.scalar(
        select(Referrer).where(col(Referrer.person_id) == person_id).limit(1)
    )
    if held is None:
        held = Referrer(code=draw_code(), person_id=person_id, made_at=tx.clock.now())
        tx.add(held)
    return shown(held, rules)


def shown(referrer: Referrer, rules: ReferralRules) -> ReferrerOut:
    """Return a referrer with the link to pass on."""
    joint = "&" if "?" in rules.landing_url else "?"
    url = f"{rules.landing_url}{joint}{urlencode({'ref': referrer.code})}"
    return ReferrerOut(
        code=referrer.code, person_id=referrer.person_id, url=url, made_at=referrer.made_at
    )


async def get_referrer(tx: ReadTx, code: str) -> Referrer:
    """Return who refers with a code. Raises `ReferrerUnknown`."""
    found = await tx.get(Referrer, normal(code))
    if found is None:
        raise ReferrerUnknown(f"Nobody refers with {code[:40]}; look at the code once more")
    return found


async def claim(tx: Tx, code: str, person_id: UUID) -> Referral:
    """Note that somebody came with a code; who has come with one before keeps that one.

    What speaks against it is kept with it, and shown: refused is what is one's own, goes in a circle, or comes from a
    customer; held for a person is what is more than the rules allow in a day.

    Raises:
        ReferrerUnknown: nobody refers with this code.
        NoReferralRules: it is not said what a referral is worth.
    """
    referrer, rules = await get_referrer(tx, code), await get_rules(tx)
    person_id = await _known(tx, person_id)
    # Both sides in one order: two who refer each other at the same moment make a circle, too.
    for one in sorted({referrer.person_id, person_id}):
        await points.lock(tx, one)
    held: Referral | None = await tx.scalar(
        select(Referral)
        .where(
            col(Referral.person_id) == person_id,
            col(Referral.state) != ReferralState.REFUSED.value,
        )
        .limit(1)
    )
    if held is not None:
        return held
    now = tx.clock.now()
    fault = await find_fault(tx, referrer.person_id, person_id)
    if not fault and await was_customer(tx, person_id):
        fault = "customer"
    state = ReferralState.REFUSED if fault else ReferralState.CLAIMED
    if not fault:
        lately = await tx.scalar(
            select(func.count()).where(
                col(Referral.code) == referrer.code, col(Referral.claimed_at) > now - _DAY
            )
        )
        if lately >= rules.most_per_day:
            state, fault = ReferralState.HELD, "many"
    referral = Referral(
        id=new_id(),
        code=referrer.code,
        person_id=person_id,
        state=state.value,
        why=WHY[fault] if fault else "",
        claimed_at=now,
    )
    tx.add(referral)
    return referral


async def decide(tx: Tx, code: str, referral_id: UUID, body: DecisionIn) -> Referral:
    """Decide on a referral that is held; an order that was paid meanwhile is rewarded at once.

    Raises:
        ReferralUnknown: the referrer has none like it.
        ReferralDecided: it does not wait.
    """
    referral: Referral | None = await tx.scalar(
        select(Referral)
        .where(col(Referral.id) == referral_id, col(Referral.code) == normal(code))
        .with_for_update()
    )
    if referral is None:
        raise ReferralUnknown(f"{code[:40]} has brought nobody under {referral_id}")
    if referral.state != ReferralState.HELD:
        raise ReferralDecided(f"It is {referral.state}")
    referral.state = (ReferralState.CLAIMED if body.accept else ReferralState.REFUSED).value
    referral.why, referral.decided_by = body.reason, tx.actor
    tx.audit("referral.decide", str(referral_id), accept=body.accept, reason=body.reason)
    if body.accept:
        await tx.flush()  # what is rewarded is looked for by statements of their own
        await _reward(tx, [referral.person_id])
    return referral


async def list_referrals(tx: ReadTx, code: str) -> list[Referral]:
    """Return whom a referrer has brought, the newest first. Raises `ReferrerUnknown`."""
    referrer = await get_referrer(tx, code)
    rows = await tx.scalars(
        select(Referral)
        .where(col(Referral.code) == referrer.code)
        .order_by(col(Referral.id).desc())
        .limit(200)
    )
    return list(rows)


async def note_paid(tx: Tx, orders: Sequence[OrderCard]) -> None:
    """Keep what was paid, and reward who brought the people who paid. Any order, any number of times."""
    await _reward(tx, await keep_paid(tx, orders))


async def note_cancelled(tx: Tx, orders: Sequence[OrderCard]) -> None:
    """Take back what orders were rewarded for that were called off, also when that is told before their payment."""
    await keep_cancelled(tx, orders)
    taken = await tx.execute(
        update(Referral)
        .where(
            col(Referral.order_id).in_([one.order_id for one in orders]),
            col(Referral.state) == ReferralState.REWARDED.value,
        )
        .values(state=ReferralState.TAKEN_BACK.value, why="its order was called off")
        .returning(col(Referral.code), col(Referral.points))
    )
    for code, given in sorted(tuple(row) for row in taken):
        if given:
            referrer = await get_referrer(tx, code)
            await points.adjust(tx, referrer.person_id, -given, REASON, None)


async def _reward(tx: Tx, person_ids: Iterable[UUID]) -> None:
    first = (
        select(col(PaidOrder.order_id))
        .where(
            col(PaidOrder.person_id) == col(Referral.person_id),
            col(PaidOrder.is_cancelled).is_(False),
        )
        .order_by(col(PaidOrder.paid_at), col(PaidOrder.order_id))
        .limit(1)
        .scalar_subquery()
    )
    found = await tx.execute(
        select(Referral, first)
        .where(
            col(Referral.person_id).in_(sorted(person_ids)),
            col(Referral.state) == ReferralState.CLAIMED.value,
            first.is_not(None),
        )
        .order_by(col(Referral.id))
        .with_for_update(of=Referral)
    )
    for referral, order_id in [tuple(row) for row in found]:
        referrer, rules = await get_referrer(tx, referral.code), await get_rules(tx)
        # Cards may have come since: what was nobody's address then may be the referrer's now.
        fault = await find_fault(tx, referrer.person_id, referral.person_id)
        if not fault and await was_customer(tx, referral.person_id, before=referral.claimed_at):
            fault = "customer"
        if fault:
            referral.state, referral.why = ReferralState.REFUSED.value, WHY[fault]
            continue
        referral.state, referral.order_id = ReferralState.REWARDED.value, order_id
        referral.rewarded_at = tx.clock.now()
        referral.points = await _pay_referrer(tx, referrer.person_id, rules)
        if rules.referred_series_id is not None:
            await give(tx, rules.referred_series_id, [referral.person_id], REASON)


async def _pay_referrer(tx: Tx, person_id: UUID, rules: ReferralRules) -> int:
    """Give points to a member, else a coupon; return the points."""
    if rules.points and await is_member(tx, person_id):
        await points.adjust(tx, person_id, rules.points, REASON, await find_club_rules(tx))
        return rules.points
    if rules.referrer_series_id is not None:
        await give(tx, rules.referrer_series_id, [person_id], REASON)
    return 0


async def _known(tx: ReadTx, person_id: UUID) -> UUID:
    return (await aliases.resolve(tx, person_alias, [person_id])).get(person_id, person_id)
