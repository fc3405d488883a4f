"""Write, moderate, report."""

import re
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from campaign_svc.aliases import person_alias
from campaign_svc.community.errors import PostUnknown, QuestionHidden, ReviewTwice
from campaign_svc.community.model import CommunityPost, CommunityReport
from campaign_svc.community.schemas import DecisionIn, PostIn, PostKind, PostState, ReportIn
from campaign_svc.purchases.queries import was_customer
from kantis_kit.db import aliases
from kantis_kit.ids import new_id
from kantis_kit.tx import ReadTx, Tx

REPORTS_THAT_HIDE = 3
"""So many people who find that a post should not be shown have it wait for a moderator again."""
_CAUTIONS = {
    "an e-mail address": re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+"),
    "a link": re.compile(r"https?://|www\.", re.IGNORECASE),
    "a long number, such as a telephone's": re.compile(r"(?:\d[ -]?){8,}"),
}


async def write_post(tx: Tx, body: PostIn) -> CommunityPost:
    """Keep what somebody writes until a moderator has looked at it; what the company writes is shown at once.

    Raises:
        PostUnknown: an answer is to a question that there is not.
        QuestionHidden: its question is not shown.
        ReviewTwice: the person has reviewed this product.
    """
    if body.question_id is not None:
        question = await get_post(tx, body.question_id)
        if question.kind != PostKind.QUESTION or question.state != PostState.SHOWN:
            raise QuestionHidden("question_id: answer a question that is shown")
    person_id = await _known(tx, body.person_id) if body.person_id else None
    now = tx.clock.now()
    is_ours = person_id is None
    found = [
        what for what, pattern in _CAUTIONS.items() if pattern.search(f"{body.title} {body.text}")
    ]
    values = {
        **body.model_dump(mode="json", exclude={"person_id", "question_id", "product_id"}),
        "id": new_id(),
        "question_id": body.question_id,
        "product_id": body.product_id,
        "person_id": person_id,
        "is_ours": is_ours,
        "is_buyer": person_id is not None and await was_customer(tx, person_id),
        "state": (PostState.SHOWN if is_ours else PostState.WAITING).value,
        "caution": f"holds {', '.join(found)}" if found and not is_ours else "",
        "reason": "",
        "decided_by": tx.actor if is_ours else "",
        "decided_at": now if is_ours else None,
        "written_at": now,
    }
    made = await tx.scalar(
        insert(CommunityPost)
        .values(**values)
        .on_conflict_do_nothing()
        .returning(col(CommunityPost.id))
    )
    if made is None:
        raise ReviewTwice(f"The person has said what they think of {body.product_id}")
    return CommunityPost(**values)


async def get_post(tx: ReadTx, post_id: UUID) -> CommunityPost:
    """Return a post. Raises `PostUnknown`."""
    found = await tx.get(CommunityPost, post_id)
    if found is None:
        raise PostUnknown(f"There is no post {post_id}")
    return found


async def decide(tx: Tx, post_id: UUID, body: DecisionIn) -> CommunityPost:
    """Show a post, or do not, with the reason; the last decision holds. Raises `PostUnknown`."""
    post = await _locked(tx, post_id)
    post.state = (PostState.SHOWN if body.show else PostState.REFUSED).value
    post.reason, post.decided_by, post.decided_at = body.reason, tx.actor, tx.clock.now()
    tx.audit("community.decide", str(post_id), show=body.show, reason=body.reason)
    return post


async def report(tx: Tx, post_id: UUID, body: ReportIn) -> None:
    """Note that somebody finds that a post should not be shown; several people have it wait for a moderator.

    A post that a moderator has looked at since is judged by new reports alone. Raises `PostUnknown`.
    """
    post = await _locked(tx, post_id)
    row = {
        "id": new_id(),
        "post_id": post_id,
        "person_id": await _known(tx, body.person_id),
        "reason": body.reason,
        "reported_at": tx.clock.now(),
    }
    await tx.execute(insert(CommunityReport).values(row).on_conflict_do_nothing())
    since = post.decided_at or post.written_at
    reports = await tx.scalar(
        select(func.count()).where(
            col(CommunityReport.post_id) == post_id, col(CommunityReport.reported_at) >= since
        )
    )
    if reports >= REPORTS_THAT_HIDE and post.state == PostState.SHOWN:
        post.state = PostState.WAITING.value
        post.caution = f"{reports} people find that it should not be shown: {body.reason}"


async def _locked(tx: Tx, post_id: UUID) -> CommunityPost:
    found: CommunityPost | None = await tx.scalar(
        select(CommunityPost).where(col(CommunityPost.id) == post_id).with_for_update()
    )
    if found is None:
        raise PostUnknown(f"There is no post {post_id}")
    return found


async def _known(tx: ReadTx, person_id: UUID) -> UUID:
    return (await aliases.resolve(tx, person_alias, [person_id])).get(person_id, person_id)
