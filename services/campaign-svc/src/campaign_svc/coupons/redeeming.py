"""Use coupons, each once, however many tills try at the same moment.

One conditional UPDATE decides; whoever finds the row changed is told when and where. Tills that come at the same time
share a statement and its commit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaign_svc.coupons.errors import REFUSALS, CouponUnknown
from campaign_svc.coupons.schemas import RedemptionIn, RedemptionOut
from campaign_svc.coupons.texts import sentence
from campaign_svc.settings import CampaignSettings
from kantis_contracts.codes import is_sound, normal
from kantis_kit.groups import Statements, StatementWriter
from kantis_kit.tx import Scope

Row = Mapping[str, Any]
_WORTH = "s.name, s.kind, s.value_pct, s.value_minor, s.currency, s.gift, s.least_minor"
REDEEM = f"""
UPDATE coupon c SET redeemed_at = $1, redeemed_by = a.by, place = a.place, receipt = a.receipt
FROM unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS a (code, place, receipt, by), coupon_series s
WHERE c.code = a.code AND s.id = c.series_id AND c.redeemed_at IS NULL AND s.closed_at IS NULL
  AND s.valid_from <= $1 AND (s.valid_until IS NULL OR s.valid_until > $1)
RETURNING c.code, c.place, c.receipt, c.redeemed_by, c.series_id, c.person_id, c.redeemed_at, {_WORTH}
"""  # noqa: S608 - columns of ours
_STANDING = f"""
SELECT c.code, c.place, c.receipt, c.redeemed_by, c.series_id, c.person_id, c.redeemed_at, {_WORTH},
    s.closed_at, s.valid_from, s.valid_until
FROM coupon c JOIN coupon_series s ON s.id = c.series_id WHERE c.code = ANY($1::text[])
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Attempt:
    """A till has a coupon before it."""

    code: str
    place: str
    receipt: str
    by: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of an attempt: the coupon's row as it is now, and what spoke against it, if anything did."""

    row: Row | None = None
    against: str = ""
    at: datetime | None = None
    is_new: bool = False


class Tills:
    """Where the tills of a process meet; there is one in each."""

    def __init__(self) -> None:
        self._writer: StatementWriter[Attempt, Finding] | None = None

    async def redeem(
        self, scope: Scope, code: str, body: RedemptionIn, *, by: str
    ) -> RedemptionOut:
        """Use a coupon; the same receipt of the same place again gets the first answer.

        Raises:
            CouponUnknown: there is none with this code, or it was misread.
            CouponRedeemed: it has been used; the answer says when and where.
            CouponExpired: it was good until a moment that is past.
            CouponEarly: it is not good yet.
            CouponClosed: its series was called off.
        """
        zone = (
            scope.settings.till_time_zone if isinstance(scope.settings, CampaignSettings) else "UTC"
        )
        if not is_sound(code):
            raise CouponUnknown(sentence("misread", body.language, zone), code=code[:40])
        if self._writer is None:
            self._writer = StatementWriter(scope, _redeem_together)
        attempt = Attempt(normal(code), body.place, body.receipt, by)
        found = await self._writer.write(attempt)
        if found.against:
            place = found.row["place"] if found.row else ""
            said = sentence(found.against, body.language, zone, at=found.at, place=place)
            refused = REFUSALS[found.against](said, code=attempt.code)
            if found.against == "redeemed" and found.at is not None:
                refused.extra |= {"redeemed_at": found.at.isoformat(), "place": place}
            raise refused
        return RedemptionOut.model_validate({**(found.row or {}), "is_new": found.is_new})


async def _redeem_together(tx: Statements, attempts: Sequence[Attempt]) -> list[Finding]:
    # In one order everywhere, so that groups which share codes do not wait for each other in a circle.
    ordered = sorted(attempts, key=lambda one: one.code)
    now = tx.clock.now()
    columns = (
        [getattr(one, name) for one in ordered] for name in ("code", "place", "receipt", "by")
    )
    used = {row["code"]: row for row in await tx.put(REDEEM, now, *columns)}
    standing = used
    if len(used) < len(attempts):
        asked = sorted({one.code for one in attempts})
        standing = {row["code"]: row for row in await tx.look(_STANDING, asked)}
    findings = []
    for one in attempts:
        # Of two tills in one group, the row says whose attempt it was.
        is_new = one.code in used and _is_same(used[one.code], one)
        findings.append(
            Finding(used.pop(one.code), is_new=True)
            if is_new
            else _judge(standing.get(one.code), one, now)
        )
    return findings


def _is_same(row: Row, one: Attempt) -> bool:
    return (row["place"], row["receipt"], row["redeemed_by"]) == (one.place, one.receipt, one.by)


def _judge(row: Row | None, one: Attempt, now: datetime) -> Finding:
    """Say why a coupon was not used by this attempt."""
    if row is None:
        return Finding(against="unknown")
    if row["redeemed_at"] is not None:
        if one.receipt and _is_same(row, one):
            return Finding(row)
        return Finding(row, "redeemed", row["redeemed_at"])
    if row["closed_at"] is not None:
        return Finding(row, "closed", row["closed_at"])
    if row["valid_from"] > now:
        return Finding(row, "early", row["valid_from"])
    return Finding(row, "expired", row["valid_until"])


__all__ = ["REDEEM", "Attempt", "Finding", "Tills"]
