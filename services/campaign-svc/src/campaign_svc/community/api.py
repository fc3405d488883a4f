"""The community: questions and answers, reviews, and their moderators."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from campaign_svc.community import queries, usecases
from campaign_svc.community.schemas import (
    DecisionIn,
    PostIn,
    PostOut,
    PostState,
    QuestionShown,
    ReportIn,
    ReviewsOut,
)
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.paging import Limit, Page
from kantis_kit.web.router import Router

router = Router(prefix="/v1/community", tags=["community"])
READ, WRITE = needs("campaign:read"), needs("campaign:write")
Cursor = Annotated[str | None, Query(max_length=500)]


@router.post("/posts", policy=WRITE, status_code=201)
async def write_post(body: PostIn, tx: Write) -> PostOut:
    """Keep a question, an answer or a review; a person's waits for a moderator, ours is shown."""
    return PostOut.model_validate(await usecases.write_post(tx, body))


@router.get("/posts", policy=READ)
async def list_posts(
    tx: Read, state: PostState = PostState.WAITING, cursor: Cursor = None, limit: Limit = 50
) -> Page[PostOut]:
    """List posts in a state, the oldest first; those that wait when nothing is said."""
    return await queries.list_posts(tx, state, cursor=cursor, limit=limit)


@router.post("/posts/{post_id}/decision", policy=WRITE)
async def decide(post_id: UUID, body: DecisionIn, tx: Write) -> PostOut:
    """Show a post, or do not, with the reason."""
    return PostOut.model_validate(await usecases.decide(tx, post_id, body))


@router.post("/posts/{post_id}/reports", policy=WRITE, status_code=204)
async def report(post_id: UUID, body: ReportIn, tx: Write) -> None:
    """Note that somebody finds that a post should not be shown."""
    await usecases.report(tx, post_id, body)


@router.get("/reviews/{product_id}", policy=READ)
async def list_reviews(product_id: UUID, tx: Read, limit: Limit = 20) -> ReviewsOut:
    """Return what people think of a product, as visitors may see it."""
    return await queries.reviews_of(tx, product_id, limit=limit)


@router.get("/questions", policy=READ)
async def list_questions(
    tx: Read, product_id: UUID | None = None, cursor: Cursor = None, limit: Limit = 20
) -> Page[QuestionShown]:
    """List questions with their answers, as visitors may see them."""
    return await queries.questions(tx, product_id=product_id, cursor=cursor, limit=limit)
