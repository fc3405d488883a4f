"""Keep what people decided on launches, and set when launches pause themselves."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, Text, case, literal, update
from sqlalchemy.dialects.postgresql import insert

from kantis_contracts.campaign import LaunchHold
from kantis_kit.tx import Tx
from messaging_svc.base import Moment, Uid
from messaging_svc.holds import sql
from messaging_svc.holds.model import launch_hold, spike_limit
from messaging_svc.holds.schemas import Kind, SpikeLimitIn
from messaging_svc.openings.usecases import WAKE, ask_again
from messaging_svc.sets import recordset

RUNNING, PAUSED, STOPPED = "running", "paused", "stopped"


async def keep_decisions(tx: Tx, state: str, items: Sequence[LaunchHold]) -> None:
    """Let launches wait, go on or end, where the decision is newer than what is held. Any order, any number of times.

    What waits for a launch that goes on or has ended is asked for at once; of one that waits or has ended nothing begins.
    """
    newest = {one.launch_id: one for one in sorted(items, key=lambda one: one.version)}
    new = recordset(
        "new",
        [one.model_dump(mode="json") for _, one in sorted(newest.items())],
        launch_id=Uid, campaign_id=Uid, version=BigInteger(), reason=Text(), decided_at=Moment,
    )  # fmt: skip
    statement = insert(launch_hold).from_select(
        ["launch_id", "campaign_id", "version", "state", "reason", "changed_at", "counts_from"],
        new.select().with_only_columns(
            new.c.launch_id, new.c.campaign_id, new.c.version, literal(state, Text()), new.c.reason, new.c.decided_at,
            new.c.decided_at,
        ),
    )  # fmt: skip
    told, held = statement.excluded, launch_hold.c
    # A person who resumes has seen the spike that came before, not one that came since.
    lifts = (told.state == RUNNING) & (held.spiked_at <= told.changed_at)
    changed = await tx.scalars(
        statement.on_conflict_do_update(
            index_elements=["launch_id"],
            set_={
                **{name: told[name] for name in ("version", "state", "reason", "changed_at")},
                "spiked_at": case((lifts, None), else_=held.spiked_at),
                "spike": case((lifts, None), else_=held.spike),
                "counts_from": case(
                    (told.state == RUNNING, told.changed_at), else_=held.counts_from
                ),
            },
            where=held.version < told.version,
        ).returning(held.launch_id)
    )
    launches = list(changed)
    if launches and state != RUNNING:
        await tx.execute(WAKE)  # what is handed over and has not begun is taken back
    if launches and state != PAUSED:
        await ask_again(tx, sql.THEIRS, launches=launches, is_end=state == STOPPED)


async def set_spike_limit(tx: Tx, kind: Kind, body: SpikeLimitIn) -> None:
    """Set when launches pause themselves; holds from the next message on."""
    await tx.execute(
        update(spike_limit)
        .where(spike_limit.c.kind == kind.value)
        .values(**body.model_dump(), changed_at=tx.clock.now())
    )
    tx.audit("sending_rules.set_spike_limit", kind.value, **body.model_dump(mode="json"))
