"""What steps do outside of their run: messages and the like, each with what the run knows and where it comes from."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from campaign_svc.actions.model import Asker, Job, Target
from campaign_svc.actions.schemas import AskerKind
from campaign_svc.actions.usecases import act_all
from campaign_svc.products.model import Product
from campaign_svc.products.queries import products_by_id
from campaign_svc.programmes.invitations import Invitation, ends_at, path_to
from campaign_svc.programmes.plans import PlanKey
from campaign_svc.programmes.schemas.graph import Ask, Content, Do
from campaign_svc.programmes.walking import Act, Doing
from campaign_svc.settings import CampaignSettings
from kantis_kit.auth.links import LinkSigner
from kantis_kit.tx import Tx

_NAMES = "SELECT id, name FROM programme WHERE id = ANY($1::uuid[])"
_MINOR = 100


@dataclass(frozen=True, slots=True)
class PersonAct:
    """An act in a person's run of a version."""

    plan: PlanKey
    person_id: UUID
    act: Act


async def do(tx: Tx, acts: Sequence[PersonAct]) -> None:
    """Do it: all people who come by the same step at once."""
    if not acts:
        return
    together: dict[tuple[PlanKey, str], list[PersonAct]] = defaultdict(list)
    for one in acts:
        together[one.plan, one.act.step].append(one)
    ids = sorted({programme_id for (programme_id, _), _ in together})
    names = {row["id"]: row["name"] for row in await tx.fetch(_NAMES, ids)}
    products = await products_by_id(
        tx, {UUID(one.act.facts["product"]) for one in acts if "product" in one.act.facts}
    )
    jobs = []
    for ((programme_id, version), step), group in sorted(together.items(), key=lambda one: one[0]):
        asker = Asker(AskerKind.PROGRAMME, programme_id, names[programme_id], version, step)
        what = group[0].act.what
        targets = [
            Target(
                one.person_id,
                one.act.id,
                (),
                _words(what, one.act.facts, products) | _invitation(tx, one, what),
            )
            for one in group
        ]
        jobs.append(Job(asker, what.action if isinstance(what, Do) else what.say, targets))
    await act_all(tx, jobs)


def _words(
    what: Doing, facts: Mapping[str, Any], products: Mapping[UUID, Product]
) -> dict[str, str]:
    """Return what a message may say: plain facts of the run, and what the step itself is about."""
    words = {name: str(value) for name, value in facts.items() if name.isidentifier()}
    product = products.get(UUID(facts["product"])) if "product" in facts else None
    if product is not None:
        price = (
            f"{product.price_minor // _MINOR}.{product.price_minor % _MINOR:02} {product.currency}"
        )
        words |= {"product_name": product.name, "product_sku": product.sku, "product_price": price}
    if isinstance(what, Ask):
        words["question"] = what.question
    if isinstance(what, Content):
        words |= {"title": what.title, "link": what.link, "place": what.place}
        if what.begins_at is not None:
            words["begins_at"] = what.begins_at.isoformat()
    return words


def _invitation(tx: Tx, one: PersonAct, what: Doing) -> dict[str, str]:
    """Return where this person signs up, when the step is about something to come to."""
    over_at = ends_at(what) if isinstance(what, Content) else None
    if over_at is None:
        return {}
    base = tx.settings(CampaignSettings).public_url.rstrip("/")
    invited = Invitation(one.plan[0], one.person_id, one.act.step)
    return {"signup_url": base + path_to(tx.use(LinkSigner), invited, over_at)}
