"""Questions about raw facts, answered by the store that the settings choose."""

from sqlalchemy import func, select
from sqlmodel import col

from analytics_svc.questions.errors import StoreFilling
from analytics_svc.questions.model import FactCopy, FactNews
from analytics_svc.questions.schemas import Answer, Question
from analytics_svc.questions.store import CopyStore, FactStore
from kantis_kit.tx import ReadTx


async def ask(tx: ReadTx, question: Question) -> Answer:
    """Return the answer to a question.

    Raises:
        StoreFilling: the copy that would answer does not hold every fact yet.
        StoreAway: it does not answer.
        TooManyLines: the answer is too long.
    """
    store = tx.use(FactStore)  # type: ignore[type-abstract]
    waiting = 0
    if isinstance(store, CopyStore):
        if not await tx.scalar(select(col(FactCopy.is_filled))):
            raise StoreFilling("Not every fact has been copied yet; ask again in some minutes")
        waiting = await tx.scalar(select(func.count()).select_from(FactNews))
    return Answer(store=store.name, waiting=waiting, items=await store.ask(tx, question))
