"""Keep what templates are written for."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.templates.model import TemplateNote
from kantis_contracts.messaging import TemplateCard
from kantis_kit.tx import Tx


async def keep_templates(tx: Tx, cards: Sequence[TemplateCard]) -> None:
    """Keep the cards that are newer than what we hold; older ones change nothing."""
    newest = {card.template_id: card for card in sorted(cards, key=lambda one: one.revision)}
    if not newest:
        return
    rows = [newest[template_id].model_dump(mode="json") for template_id in sorted(newest)]
    new = insert(TemplateNote).values(rows)
    names = [name for name in TemplateNote.model_fields if name != "template_id"]
    await tx.execute(
        new.on_conflict_do_update(
            index_elements=["template_id"],
            set_={name: new.excluded[name] for name in names},
            where=col(TemplateNote.revision) < new.excluded.revision,
        )
    )
