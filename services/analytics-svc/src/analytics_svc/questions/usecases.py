"""Let a copy of the facts follow them, a batch at a time."""

from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlmodel import col

from analytics_svc.questions import sql
from analytics_svc.questions.model import FactCopy, FactNews
from analytics_svc.questions.store import CopyStore
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx

BATCH = 20_000
_TURN = 0x636F7079  # 'copy': one process at a time, so that versions rise in the order in which facts were read


async def agree(tx: Tx, store: CopyStore) -> bool:
    """See to it that the store is the copy that the database knows of; return whether it was begun anew.

    It is begun anew when the store is new or another, and when the database was set back to a time before the store's
    latest batch. Whoever else copies waits meanwhile, and finds that they agree.
    """
    await tx.fetch(sql.WAIT_FOR_TURN, _TURN)
    held = await tx.scalar(select(col(FactCopy.id)))
    (last,) = await tx.fetch(sql.LAST_VERSION)
    found = await store.standing()
    if held is not None and held == found.copy_id and found.version <= last["version"]:
        return False
    await tx.fetch(sql.HOLD_FACTS)
    await _forget_copy(tx)
    copy = FactCopy(id=new_id())
    tx.add(copy)
    await store.begin(copy.id)
    return True


async def copy_some(tx: Tx, store: CopyStore, *, limit: int = BATCH) -> int:
    """Give the store what has changed, and when there is nothing, what it never had; return how many facts.

    What fails is given again, under a later version. The transaction stays open while the store takes the batch: it holds
    the rows of the news, for which nobody waits.
    """
    (turn,) = await tx.fetch(sql.TAKE_TURN, _TURN)
    if not turn["mine"]:
        return 0
    rows = await tx.fetch(sql.TAKE_NEWS, limit)
    if not rows:
        rows = await _next_page(tx, limit)
    if not rows:
        return 0
    (next_,) = await tx.fetch(sql.NEXT_VERSION)
    kinds, keys = [row["kind"] for row in rows], [row["key"] for row in rows]
    lines = await tx.fetch(sql.ROWS, kinds, keys, next_["version"])
    await store.take("\n".join(row["line"] for row in lines).encode())
    return len(rows)


async def _next_page(tx: Tx, limit: int) -> list[dict[str, UUID | str]]:
    copy = await tx.scalar(select(FactCopy).where(~col(FactCopy.is_filled)))
    if copy is None:
        return []
    rows = await tx.fetch(sql.NEXT_PAGE, copy.kind, copy.key, limit)
    values = (
        {"kind": rows[-1]["kind"], "key": rows[-1]["key"]} if len(rows) == limit else {"is_filled": True}
    )  # fmt: skip
    await tx.execute(update(FactCopy).values(values))
    return rows


async def end_copy(tx: Tx) -> None:
    """Tell no copy any more: facts are asked where they are."""
    if await tx.scalar(select(func.count()).select_from(FactCopy)):
        await _forget_copy(tx)


async def _forget_copy(tx: Tx) -> None:
    await tx.execute(delete(FactCopy))
    await tx.execute(delete(FactNews))
