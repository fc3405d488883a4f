"""Note what the post brought back: whose it was, why, what follows for the address, and who does what next."""

from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select

from kantis_contracts.codes import normal
from kantis_contracts.messaging import LetterIdentified
from kantis_contracts.orders import PostKind
from kantis_kit.errors import Invalid
from kantis_kit.ids import new_id
from kantis_kit.tx import Tx
from orders_svc.codes.queries import find_codes
from orders_svc.labels.codes import is_whole, scanned
from orders_svc.orders.model import SalesOrder
from orders_svc.packing.model import Parcel, ParcelState
from orders_svc.postal_returns import events, queries
from orders_svc.postal_returns.errors import Misread, OtherReason
from orders_svc.postal_returns.model import PostalReturn, PostFile, PostMapping, PostState
from orders_svc.postal_returns.reading import read_lines
from orders_svc.postal_returns.reasons import NextAction, action_for
from orders_svc.postal_returns.schemas import FileOut, MappingIn, PostIn, Rejected
from orders_svc.settings import OrdersSettings

BATCH = 500
_SHOWN_REJECTED = 100


async def note_piece(tx: Tx, given: PostIn) -> tuple[PostalReturn, bool]:
    """Note a piece that was scanned or keyed; return it, and whether it is new.

    Raises:
        Misread: the control digit of its number is wrong.
        OtherReason: it was noted before with another reason.
        Invalid: it has not come yet.
    """
    code = scanned(given.code)
    if not is_whole(code):
        raise Misread(f"code: the control digit of {code} is wrong; scan it again")
    if given.came_at is not None and given.came_at > tx.clock.now():
        raise Invalid("came_at: lies in the future; tell what has come")
    way = "keyed" if given.is_keyed else "scan"
    new = await _note(tx, [given], way)
    (piece,) = (await queries.find_by_codes(tx, [code])).values()
    if not new and piece.reason != given.reason:
        raise OtherReason(
            f"{code} was noted on {piece.noted_at:%Y-%m-%d} as {piece.reason}", reason=piece.reason
        )
    return piece, bool(new)


async def take_file(tx: Tx, name: str, content: bytes) -> FileOut:
    """Take in a file of the post; the same file again changes nothing, and neither does the same piece in another.

    Raises:
        MappingNotFound: nobody has declared how such a file is read.
        FileUnreadable: it is not as its mapping says.
    """
    mapping = MappingIn.model_validate((await queries.get_mapping(tx, name)).mapping)
    digest = sha256(name.encode() + b"\0" + content).hexdigest()
    before = await tx.get(PostFile, digest)
    if before is not None:
        return FileOut(**{**before.result, "was_taken_before": True})
    result = FileOut(lines=0, taken=0, known=0, rejected_lines=0, rejected=[])
    batch: dict[str, PostIn] = {}
    for line in read_lines(content, mapping):
        result.lines += 1
        code = scanned(line.piece.code) if line.piece else ""
        problem = line.problem
        if line.piece and not is_whole(code):
            problem = f"code: the control digit of {code} is wrong"
        elif line.piece and line.piece.came_at and line.piece.came_at > tx.clock.now():
            problem = "came_at: lies in the future"
        if line.piece is None or problem:
            result.rejected_lines += 1
            if len(result.rejected) < _SHOWN_REJECTED:
                result.rejected.append(Rejected(line=line.number, problem=problem))
            continue
        if code in batch:
            result.known += 1
            continue
        batch[code] = line.piece
        if len(batch) == BATCH:
            await _take_batch(tx, batch, result)
            batch = {}
    await _take_batch(tx, batch, result)
    tx.add(
        PostFile(
            digest=digest,
            mapping=name,
            result=result.model_dump(mode="json"),
            taken_at=tx.clock.now(),
        )
    )
    return result


async def declare_mapping(tx: Tx, name: str, given: MappingIn) -> PostMapping:
    """Keep how a file of the post is read."""
    declared = given.model_dump(mode="json")
    statement = insert(PostMapping).values(name=name, version=1, mapping=declared)
    await tx.execute(
        statement.on_conflict_do_update(
            index_elements=[col(PostMapping.name)],
            set_={"mapping": declared, "version": col(PostMapping.version) + 1},
        )
    )
    return await queries.get_mapping(tx, name)


async def settle(tx: Tx, return_id: UUID) -> PostalReturn:
    """Note that somebody has seen to a piece; a second time changes nothing. Raises `PostNotFound`."""
    piece = await queries.get_piece(tx, return_id)
    if piece.state != PostState.DONE:
        piece.state, piece.done_at = PostState.DONE.value, tx.clock.now()
    return piece


async def identify(tx: Tx, items: Sequence[LetterIdentified]) -> None:
    """Learn from messaging-svc whose letters came back; what it does not know either waits for a person."""
    found = {one.return_id: one for one in items}
    rows = await tx.scalars(
        select(PostalReturn)
        .where(
            col(PostalReturn.return_id).in_(found),
            col(PostalReturn.state) == PostState.UNRESOLVED.value,
        )
        .order_by(col(PostalReturn.return_id))
        .with_for_update()
    )
    known = []
    for piece in rows:
        one = found[piece.return_id]
        if one.person_id is None:
            piece.state = PostState.UNKNOWN.value
            continue
        piece.person_id, piece.campaign_id = one.person_id, one.campaign_id
        piece.state = _state(NextAction(piece.next_action)).value
        known.append(piece)
    tx.stage(events.post_returned(known))
    _forget_addresses(known)


async def _take_batch(tx: Tx, batch: dict[str, PostIn], result: FileOut) -> None:
    new = await _note(tx, list(batch.values()), "file") if batch else []
    result.taken += len(new)
    result.known += len(batch) - len(new)


async def _note(tx: Tx, given: Sequence[PostIn], way: str) -> list[PostalReturn]:
    """Store pieces that have not come back before, and tell of them; return those that are new."""
    now = tx.clock.now()
    settings = tx.settings(OrdersSettings)
    by_code = {scanned(one.code): one for one in given}
    parcels = await _parcels(tx, list(by_code))
    pieces = await find_codes(tx, [normal(code) for code in by_code])
    rows = []
    for code, one in by_code.items():
        parcel, piece = parcels.get(code), pieces.get(normal(code))
        kind = PostKind.PARCEL if parcel else PostKind.LETTER
        action = action_for(kind, one.reason, has_new_address=one.new_address is not None)
        owner = parcel[1] if parcel else piece
        rows.append(
            {
                "return_id": new_id(),
                "code": code,
                "kind": kind.value,
                "reason": one.reason.value,
                "way": way,
                "state": (_state(action) if owner else PostState.UNRESOLVED).value,
                "next_action": action.value,
                "person_id": owner.person_id if owner else None,
                "merged_id": owner.merged_id if owner else None,
                "campaign_id": owner.campaign_id if owner else None,
                "order_id": parcel[1].order_id if parcel else None,
                "new_address": one.new_address.model_dump() if one.new_address else None,
                "cost_minor": settings.parcel_return_cost_minor
                if parcel
                else settings.letter_cost_minor,
                "came_at": one.came_at or now,
                "noted_at": now,
                "noted_by": tx.actor,
                "done_at": None,
            }
        )
    kept = await tx.scalars(
        insert(PostalReturn)
        .values(sorted(rows, key=lambda row: str(row["code"])))
        .on_conflict_do_nothing()
        .returning(PostalReturn)
    )
    new = list(kept)
    for one_piece in new:
        if parcel := parcels.get(one_piece.code):
            parcel[0].state = ParcelState.RETURNED.value
    tx.stage(events.post_returned(new))
    _forget_addresses([one for one in new if one.person_id])
    return new


def _state(action: NextAction) -> PostState:
    return PostState.DONE if action is NextAction.NONE else PostState.OPEN


def _forget_addresses(told: Sequence[PostalReturn]) -> None:
    for piece in told:
        piece.new_address = None


async def _parcels(tx: Tx, codes: Sequence[str]) -> dict[str, tuple[Parcel, SalesOrder]]:
    """Return the parcels that have left and carry these numbers, their own or the carrier's, with their orders."""
    rows = await tx.execute(
        select(Parcel, SalesOrder)
        .join(SalesOrder, col(SalesOrder.order_id) == col(Parcel.order_id))
        .where(
            col(Parcel.code).in_(codes) | col(Parcel.tracking).in_(codes),
            col(Parcel.shipment_id).is_not(None),
        )
    )
    found: dict[str, tuple[Parcel, SalesOrder]] = {}
    for row in rows:
        for code in (row.Parcel.code, row.Parcel.tracking):
            found[code] = (row.Parcel, row.SalesOrder)
    return found
