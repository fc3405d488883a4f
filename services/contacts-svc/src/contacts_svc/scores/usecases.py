"""What is done with data quality: scores are kept for the report per source."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from contacts_svc.base import table_of
from contacts_svc.facts.queries import as_rows
from contacts_svc.people.model import Person
from contacts_svc.scores import queries
from contacts_svc.scores.model import QualityScore
from contacts_svc.scores.rules import score
from contacts_svc.touched import Family, touch
from kantis_kit.tx import Tx

SCORES_TIMER = "scores.keep"
SLICE = 1_000
"""How many people are scored in one transaction."""


async def keep_scores(tx: Tx) -> int:
    """Score the next people who need it; ask for another turn while some may be left. Return how many were scored."""
    now = tx.clock.now()
    wanted = await queries.list_unscored(tx, limit=SLICE)
    known = await queries.list_known(tx, wanted)
    rows = []
    for person_id, (person, facts) in sorted(known.items()):
        told = score(facts, now)
        rows.append(
            {
                "person_id": person_id,
                "completeness": told.completeness,
                "validity": told.validity,
                "reachability": told.reachability,
                "freshness": told.freshness,
                "score": told.score,
                "source": person.source,
                # What changed while this was worked out is newer than that, and scored anew.
                "scored_at": now,
            }
        )
    if rows:
        table = table_of(QualityScore)
        new = as_rows("scored", QualityScore, rows)
        same = (table.c.person_id == new.c.person_id) & (table.c.score == new.c.score)
        other = select(new.c.person_id).where(~select(table.c.score).where(same).exists())
        await touch(tx, list(await tx.scalars(other)), Family.QUALITY)
        put = insert(table).from_select(new.c.keys(), select(*new.c))
        await tx.execute(
            put.on_conflict_do_update(
                index_elements=["person_id"],
                set_={name: put.excluded[name] for name in rows[0] if name != "person_id"},
            )
        )
    if len(wanted) == SLICE:
        await tx.schedule(SCORES_TIMER, "all", now)
    return len(rows)


async def forget_erased(tx: Tx) -> None:
    """Forget the scores of people who were erased."""
    table, person = table_of(QualityScore), table_of(Person)
    gone = select(person.c.id).where(person.c.id == table.c.person_id, person.c.is_erased)
    await tx.execute(delete(table).where(gone.correlate(table).exists()))
