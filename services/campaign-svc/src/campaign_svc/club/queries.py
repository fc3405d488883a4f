"""Reads of the club: its terms and rules, and who a member is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlmodel import col

from campaign_svc.club import sql
from campaign_svc.club.errors import AskOne, MemberUnknown, NoTerms
from campaign_svc.club.model import ClubRules, ClubTerms, Member, PointsEntry
from campaign_svc.club.schemas import Benefit, EntryOut, MemberOut, RulesOut, Tier
from campaign_svc.club.texts import standing
from campaign_svc.people.marks import name_key, phones
from kantis_contracts.codes import normal
from kantis_contracts.values import Language
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, moment, read_cursor

MOST_FOUND = 20


async def get_terms(tx: ReadTx) -> ClubTerms:
    """Return the present terms. Raises `NoTerms`."""
    found: ClubTerms | None = await tx.scalar(
        select(ClubTerms).order_by(col(ClubTerms.version).desc()).limit(1)
    )
    if found is None:
        raise NoTerms("Publish the terms first: PUT /v1/club/terms")
    return found


async def find_rules(tx: ReadTx) -> ClubRules | None:
    """Return the rules, when the club has any."""
    found: ClubRules | None = await tx.scalar(select(ClubRules).limit(1))
    return found


def rules_out(rules: ClubRules) -> RulesOut:
    """Shape the rules for the API."""
    return RulesOut.model_validate(rules)


async def get_member(tx: ReadTx, number: str, *, language: Language) -> MemberOut:
    """Return a member by the number on the card, as keyed. Raises `MemberUnknown`."""
    given = {"number": normal(number), "now": tx.clock.now()}
    row = (await tx.execute(sql.BY_NUMBER, given)).mappings().first()
    if row is None:
        raise MemberUnknown(f"Nobody is a member under {number[:40]}; look at the number once more")
    return _shown(row, await find_rules(tx), language)


async def identify(
    tx: ReadTx, *, number: str, phone: str, name: str, language: Language
) -> list[MemberOut]:
    """Return whom a number (or its QR code), a telephone or the beginning of a name stands for.

    Raises:
        AskOne: none or several of the three were given.
    """
    if [bool(one) for one in (number, phone, name)].count(True) != 1:
        raise AskOne("Give one of number, phone and name")
    given: dict[str, Any] = {"now": tx.clock.now(), "limit": MOST_FOUND}
    if number:
        wanted, given = sql.BY_NUMBER, {"now": given["now"], "number": normal(number)}
    elif phone:
        wanted = sql.BY_PHONE
        given["phones"] = phones(phone)
    else:
        wanted = sql.BY_NAME
        plain = name_key(name).replace("\\", "").replace("%", "").replace("_", "")
        given["name"] = f"{plain}%"
    rules = await find_rules(tx)
    rows = (await tx.execute(wanted, given)).mappings()
    return [_shown(row, rules, language) for row in rows]


def _shown(row: Mapping[Any, Any], rules: ClubRules | None, language: Language) -> MemberOut:
    balance, earned = int(row["balance"]), int(row["year_points"])
    reached = tiers_reached(rules, earned)
    return MemberOut.model_validate(
        {
            **row,
            "balance": balance,
            "year_points": earned,
            "owed": max(0, -balance),
            "tier": reached[-1].key if reached else "",
            "standing": standing(balance, language),
        }
    )


def tiers_reached(rules: ClubRules | None, year_points: int) -> list[Tier]:
    """Return the tiers that so many points of a year have reached, the highest last; always the first."""
    tiers = [Tier.model_validate(one) for one in rules.tiers] if rules else []
    return [one for one in tiers if one.from_points <= max(0, year_points)]


def benefits_of(rules: ClubRules | None, member: MemberOut) -> list[Benefit]:
    """Return what a member's tier gives, or those below it."""
    reached = {one.key for one in tiers_reached(rules, member.year_points)}
    found = [Benefit.model_validate(one) for one in rules.benefits] if rules else []
    return [one for one in found if one.from_tier is None or one.from_tier in reached]


async def is_member(tx: ReadTx, person_id: UUID) -> bool:
    """Say whether somebody is a member now."""
    numbers = select(col(Member.number)).where(
        col(Member.person_id) == person_id, col(Member.left_at).is_(None)
    )
    return await tx.scalar(numbers.limit(1)) is not None


async def list_entries(
    tx: ReadTx, person_id: UUID, *, cursor: str | None, limit: int
) -> Page[EntryOut]:
    """Return a member's ledger, the newest entry first."""
    order = tuple_(col(PointsEntry.at), col(PointsEntry.id))
    wanted = (
        select(PointsEntry)
        .where(col(PointsEntry.person_id) == person_id)
        .order_by(col(PointsEntry.at).desc(), col(PointsEntry.id).desc())
        .limit(limit + 1)
    )
    after = read_cursor(cursor, moment, UUID)
    if after is not None:
        wanted = wanted.where(order < tuple_(*after))
    rows = [EntryOut.model_validate(row) for row in await tx.scalars(wanted)]
    more = encode_cursor(rows[limit - 1].at, rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=rows[:limit], next_cursor=more)
