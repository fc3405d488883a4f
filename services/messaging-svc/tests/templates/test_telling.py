"""Others hear of templates that were saved before anybody was told of them."""

from datetime import timedelta

from kantis_contracts.messaging import TemplateCard, TemplateChangedV1
from kantis_contracts.values import Language, MessageClass
from kantis_kit.tx import write
from messaging_svc.main import SPEC
from messaging_svc.templates import usecases
from messaging_svc.templates.schemas import LanguageIn, SaveIn, TemplateIn

NOTICE = {
    Language.NB: LanguageIn(subject="Rett lampen", html="<p>{{ greeting() }},</p><p>Slå av lampen.</p>")
}  # fmt: skip


async def told(rig):
    pool = await rig.service.database.pool()
    rows = await pool.fetch(
        "SELECT data FROM outbox WHERE type = $1 ORDER BY seq", TemplateChangedV1.type
    )
    return [TemplateChangedV1.model_validate_json(row["data"]).items for row in rows]


async def test_at_its_first_start_every_template_is_told_with_the_class_of_the_version_that_stands(
    rig_for,
):
    rig = await rig_for(SPEC, start=False)
    pool = await rig.service.database.pool()
    async with write(rig.service.scope) as tx:
        ids = [
            await usecases.create_template(
                tx, TemplateIn(name=name, languages=NOTICE, message_class=MessageClass.SERVICE)
            )
            for name in ("Recall", "Spring")
        ]
        draft = SaveIn(languages=NOTICE, message_class=MessageClass.TRANSACTIONAL, is_draft=True)
        await usecases.save_version(tx, ids[1], draft)
    # As they were saved by a version that told nobody.
    await pool.execute("DELETE FROM outbox")
    rig.clock.advance(timedelta(seconds=1))
    await rig.service.timers.step()
    first = await told(rig)
    rig.clock.advance(timedelta(days=29))
    await rig.service.timers.step()

    assert [
        tuple(
            TemplateCard(
                template_id=id_, revision=1, name=name, number=1, message_class=MessageClass.SERVICE
            )
            for id_, name in zip(ids, ("Recall", "Spring"), strict=True)
        )
    ] == first
    assert first == await told(rig)
