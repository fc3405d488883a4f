"""Keep what the DNS says of the domains that mails are from."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.senders.model import SenderDomain
from kantis_contracts.messaging import SenderCheck
from kantis_kit.tx import Tx


async def keep_checks(tx: Tx, checks: Sequence[SenderCheck]) -> None:
    """Take over the checks that are later than what we hold; earlier ones change nothing."""
    latest = {one.domain: one for one in sorted(checks, key=lambda one: one.checked_at)}
    # In the order of the key, so that two consumers lock rows in the same order.
    rows = [
        {
            "domain": one.domain,
            "is_ours": one.is_ours,
            "findings": [found.model_dump(mode="json") for found in one.findings],
            "checked_at": one.checked_at,
        }
        for _, one in sorted(latest.items())
    ]
    new = insert(SenderDomain).values(rows)
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["domain"],
            set_={name: new.excluded[name] for name in ("is_ours", "findings", "checked_at")},
            where=col(SenderDomain.checked_at) < new.excluded.checked_at,
        )
    )
