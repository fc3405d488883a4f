"""What visitors see, and what waits for a moderator."""

from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from campaign_svc.community.model import CommunityPost
from campaign_svc.community.schemas import (
    AnswerShown,
    PostKind,
    PostOut,
    PostState,
    QuestionShown,
    ReviewOut,
    ReviewsOut,
)
from kantis_kit.tx import ReadTx
from kantis_kit.web.paging import Page, encode_cursor, id_after

_SHOWN = col(CommunityPost.state) == PostState.SHOWN.value


async def list_posts(
    tx: ReadTx, state: PostState, *, cursor: str | None, limit: int
) -> Page[PostOut]:
    """Return posts in a state, the oldest first: who waits longest is looked at first."""
    wanted = (
        select(CommunityPost)
        .where(col(CommunityPost.state) == state.value)
        .order_by(col(CommunityPost.id))
        .limit(limit + 1)
    )
    after = id_after(cursor)
    if after is not None:
        wanted = wanted.where(col(CommunityPost.id) > after)
    rows = [PostOut.model_validate(row) for row in await tx.scalars(wanted)]
    more = encode_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return Page(items=rows[:limit], next_cursor=more)


async def reviews_of(tx: ReadTx, product_id: UUID, *, limit: int) -> ReviewsOut:
    """Return the reviews of a product that are shown, the newest first, and the figures of all of them."""
    of_it = (
        col(CommunityPost.kind) == PostKind.REVIEW.value,
        col(CommunityPost.product_id) == product_id,
        _SHOWN,
    )
    counted = await tx.execute(
        select(col(CommunityPost.stars), func.count())
        .where(*of_it)
        .group_by(col(CommunityPost.stars))
    )
    counts: dict[int, int] = dict(tuple(row) for row in counted)
    total = sum(counts.values())
    # Of a forgotten author the stars stay and the words are gone: there is nothing to show.
    rows = await tx.scalars(
        select(CommunityPost)
        .where(*of_it, col(CommunityPost.text) != "")
        .order_by(col(CommunityPost.id).desc())
        .limit(limit)
    )
    return ReviewsOut(
        product_id=product_id,
        reviews=total,
        mean=round(sum(n * stars for stars, n in counts.items()) / total, 2) if total else None,
        counts={stars: counts.get(stars, 0) for stars in range(1, 6)},
        items=[ReviewOut.model_validate(row) for row in rows],
    )


async def questions(
    tx: ReadTx, *, product_id: UUID | None, cursor: str | None, limit: int
) -> Page[QuestionShown]:
    """Return questions that are shown, the newest first, each with its answers, ours first."""
    wanted = (
        select(CommunityPost)
        .where(
            col(CommunityPost.kind) == PostKind.QUESTION.value,
            _SHOWN,
            col(CommunityPost.text) != "",
        )
        .order_by(col(CommunityPost.id).desc())
        .limit(limit + 1)
    )
    if product_id is not None:
        wanted = wanted.where(col(CommunityPost.product_id) == product_id)
    after = id_after(cursor)
    if after is not None:
        wanted = wanted.where(col(CommunityPost.id) < after)
    asked = (await tx.scalars(wanted)).all()
    told = await tx.scalars(
        select(CommunityPost)
        .where(
            col(CommunityPost.question_id).in_([one.id for one in asked[:limit]]),
            _SHOWN,
            col(CommunityPost.text) != "",
        )
        .order_by(col(CommunityPost.is_ours).desc(), col(CommunityPost.id))
    )
    answers: dict[UUID | None, list[AnswerShown]] = {}
    for one in told:
        answers.setdefault(one.question_id, []).append(AnswerShown.model_validate(one))
    items = [
        QuestionShown.model_validate({**one.model_dump(), "answers": answers.get(one.id, [])})
        for one in asked[:limit]
    ]
    more = encode_cursor(asked[limit - 1].id) if len(asked) > limit else None
    return Page(items=items, next_cursor=more)
