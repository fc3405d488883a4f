"""Facts of the response desk: what people answered, by when they are answered, and which post came back."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.values import Country, PostalAddress


class ResponseKind(StrEnum):
    """What an answer asks for."""

    ORDER = "order"
    INQUIRY = "inquiry"
    COMPLAINT = "complaint"
    REFUSAL = "refusal"
    RETURN = "return"


class ResponseWay(StrEnum):
    """How an answer came in."""

    WEB = "web"
    KEYED = "keyed"
    BARCODE = "barcode"
    OPTICAL = "optical"
    PHONE = "phone"


class QuestionAnswer(Item):
    """What was answered to a question; `term` is the word of the vocabulary that the answer stands for, if any."""

    question: str
    answer: str
    term: str = ""


class ResponseRegistered(Item):
    """An answer to a piece."""

    response_id: UUID
    kind: ResponseKind
    way: ResponseWay
    response_code: str
    piece_id: UUID | None = None
    person_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    responded_at: datetime
    answers: tuple[QuestionAnswer, ...] = ()


class ResponseRegisteredV1(Event, type="orders.response.registered.v1"):
    """Responses have been registered."""

    items: tuple[ResponseRegistered, ...] = Items


class AddressCorrected(Item):
    """Where somebody wants post to go, as they wrote with an answer; an empty part was not given."""

    response_id: UUID
    person_id: UUID
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: Country = "NO"
    corrected_at: datetime


class AddressCorrectedV1(Event, type="orders.address.corrected.v1"):
    """People have corrected their addresses in what they answered."""

    items: tuple[AddressCorrected, ...] = Items


class AnswerDeadline(Item):
    """A response that still waits for its next step near or after the moment by which somebody promised to answer."""

    response_id: UUID
    kind: ResponseKind
    next_step: str
    person_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    order_id: UUID | None = None
    due_at: datetime


class DeadlineNearedV1(Event, type="orders.deadline.neared.v1"):
    """Responses are due soon and nobody has answered them: a warning, once for each."""

    items: tuple[AnswerDeadline, ...] = Items


class DeadlineMissedV1(Event, type="orders.deadline.missed.v1"):
    """Responses were not answered in time: an alarm, once for each."""

    items: tuple[AnswerDeadline, ...] = Items


class PostKind(StrEnum):
    """What the post brought back."""

    LETTER = "letter"
    PARCEL = "parcel"


class PostReason(StrEnum):
    """Why the post brought a piece back."""

    INSUFFICIENT = "insufficient"
    NOT_ON_BOX = "not_on_box"
    MOVED = "moved"
    NOT_FOUND = "not_found"
    NO_SUCH_STREET = "no_such_street"
    BOX_FULL = "box_full"
    VACANT = "vacant"
    NO_BUILDING = "no_building"
    NO_ACCESS = "no_access"
    REFUSED = "refused"
    DEAD = "dead"
    CHANGED_EMPLOYER = "changed_employer"
    OTHER = "other"


class PostReturned(Item):
    """A piece that came back; without `person_id` its code may be the return mark of a letter.

    `new_address` is where the person lives now, as the post says.
    """

    return_id: UUID
    code: str
    kind: PostKind
    reason: PostReason
    person_id: UUID | None = None
    order_id: UUID | None = None
    campaign_id: UUID | None = None
    new_address: PostalAddress | None = None
    came_at: datetime


class PostReturnedV1(Event, type="orders.post.returned.v1"):
    """The post brought pieces back; told again when it becomes known whose they were."""

    items: tuple[PostReturned, ...] = Items
