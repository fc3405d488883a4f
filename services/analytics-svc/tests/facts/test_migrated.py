"""What was recorded before counts by the new rules: deadlines are known of their answers, leads are summed."""

from datetime import UTC, datetime

from analytics_svc.facts.usecases import rebuild
from analytics_svc.main import SPEC
from kantis_kit.db.migrate import migrate
from kantis_kit.ids import new_id
from kantis_kit.tx import write

AT = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp()) * 1_000_000
FACT = "INSERT INTO fact (kind, key, label, marks) VALUES ($1, $2, $3, $4)"


async def test_deadlines_become_part_of_their_answers_and_part_again_on_the_way_back(rig_for):
    service = (await rig_for(SPEC, start=False)).service
    owner = service.settings.postgres_owner_dsn.get_secret_value()
    pool = await service.database.pool()
    newer = [one for one in (SPEC.migrations / "versions").glob("0*.py") if one.name >= "0005"]
    back = f"-{len(newer)}"
    await migrate(owner, SPEC.migrations, to=back)
    answered, lost, lead = new_id(), new_id(), new_id()
    seen, missed = f'{{"seen": [0, {AT}, 0]}}', f'{{"missed": [0, {AT}, 0]}}'
    before = [
        ("deadline", answered, "order", missed),
        ("deadline", lost, "inquiry", missed),
        ("lead", lead, "signup", seen),
        ("response", answered, "order/web", seen),
    ]
    for row in before:
        await pool.execute(FACT, *row)

    await migrate(owner, SPEC.migrations)
    facts = await pool.fetch(
        "SELECT kind, label, marks ?& array['seen', 'missed'] AS both FROM fact ORDER BY 1, 2"
    )
    leads = await pool.fetch("SELECT label, value FROM house_tally")
    async with write(service.scope, actor="test") as tx:
        await rebuild(tx)
    counted = dict(await pool.fetch("SELECT measure, sum(value)::int FROM house_tally GROUP BY 1"))
    await migrate(owner, SPEC.migrations, to=back)
    after = await pool.fetch("SELECT kind, key, label, marks FROM fact ORDER BY kind, label DESC")

    assert [
        ("lead", "signup", False),
        ("response", "inquiry", False),
        ("response", "order/web", True),
    ] == [tuple(row) for row in facts]
    assert [("signup", 1)] == [tuple(row) for row in leads]
    assert {"leads": 1, "responded": 1, "missed": 1} == counted
    kept = [tuple(row) for row in after if row["marks"] != "{}"]
    assert sorted(before) == sorted(kept)


async def test_answers_from_before_are_told_by_kind_and_way(rig_for):
    service = (await rig_for(SPEC, start=False)).service
    owner = service.settings.postgres_owner_dsn.get_secret_value()
    pool = await service.database.pool()
    newer = [one for one in (SPEC.migrations / "versions").glob("0*.py") if one.name >= "0008"]
    campaign, seen = new_id(), f'{{"seen": [0, {AT}, 0]}}'
    await migrate(owner, SPEC.migrations, to=f"-{len(newer)}")
    for label, marks in (
        ("order/web", seen),
        ("order/web", seen),
        ("refusal/keyed", seen),
        ("order", "{}"),
    ):
        await pool.execute(
            "INSERT INTO fact (kind, key, campaign_id, label, marks) VALUES ('response', $1, $2, $3, $4)",
            new_id(), campaign, label, marks,
        )  # fmt: skip

    await migrate(owner, SPEC.migrations)
    counted = dict(await pool.fetch("SELECT measure, value FROM tally"))
    async with write(service.scope, actor="test") as tx:
        mended = await rebuild(tx)
    rebuilt = dict(
        await pool.fetch("SELECT measure, value FROM tally WHERE measure <> 'responded'")
    )

    assert {"responded/order/web": 2, "responded/refusal/keyed": 1} == counted == rebuilt
    assert mended > 0  # the sums that a rebuild makes of facts that came past the intake
