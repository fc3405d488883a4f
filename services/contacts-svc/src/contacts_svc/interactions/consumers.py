"""What others tell of people: how calls ended, what surveys and pieces were answered, who is a member, who waits."""

from contacts_svc.interactions import calls, corrections, memberships, responses, surveys
from kantis_contracts.campaign import MemberChangedV1, SurveyAnsweredV1
from kantis_contracts.messaging import CallEndedV1
from kantis_contracts.orders import (
    AddressCorrectedV1,
    DeadlineMissedV1,
    DeadlineNearedV1,
    ResponseRegisteredV1,
)
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(CallEndedV1, queue="contacts.interactions")
async def on_calls_ended(tx: Tx, event: CallEndedV1, _meta: Meta) -> None:
    """Keep the calls, what was learned in them, and what is to be done after them."""
    await calls.keep_calls(tx, event.items)


@consumes(SurveyAnsweredV1, queue="contacts.interactions")
async def on_surveys_answered(tx: Tx, event: SurveyAnsweredV1, _meta: Meta) -> None:
    """Keep the answers on the timeline, and what was learned by them."""
    await surveys.keep_answers(tx, event.items)


@consumes(ResponseRegisteredV1, queue="contacts.interactions")
async def on_responses_registered(tx: Tx, event: ResponseRegisteredV1, _meta: Meta) -> None:
    """Keep what people answered to questions on the timeline, and what was learned by it."""
    await responses.keep_answers(tx, event.items)


@consumes(AddressCorrectedV1, queue="contacts.interactions")
async def on_addresses_corrected(tx: Tx, event: AddressCorrectedV1, _meta: Meta) -> None:
    """Let the addresses that people wrote with their answers stand on their cards."""
    await corrections.take_corrections(tx, event.items)


@consumes(DeadlineNearedV1, queue="contacts.interactions")
async def on_deadlines_neared(tx: Tx, event: DeadlineNearedV1, _meta: Meta) -> None:
    """Keep which answers are due soon."""
    await responses.keep_deadlines(tx, event.items, is_missed=False)


@consumes(DeadlineMissedV1, queue="contacts.interactions")
async def on_deadlines_missed(tx: Tx, event: DeadlineMissedV1, _meta: Meta) -> None:
    """Keep which answers are late."""
    await responses.keep_deadlines(tx, event.items, is_missed=True)


@consumes(MemberChangedV1, queue="contacts.interactions")
async def on_members_changed(tx: Tx, event: MemberChangedV1, _meta: Meta) -> None:
    """Keep who joined the club and who left it."""
    await memberships.keep_memberships(tx, event.items)
