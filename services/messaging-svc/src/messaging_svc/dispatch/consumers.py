"""What makes messages: pieces, steps, confirmations, notices, reports, tests.

What is asked for one by one (all but pieces, which come in waves) is planned together when it lies together in the queue: one
statement plans many messages for little more than one.
"""

from kantis_contracts.analytics import ReportMailRequestedV1
from kantis_contracts.campaign import PieceReleasedV1, StepRequestedV1, TestRequestedV1
from kantis_contracts.contacts import ConfirmationRequestedV1, PageRequestedV1
from kantis_contracts.orders import NoticeRequestedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx
from messaging_svc.dispatch import usecases


@consumes(PieceReleasedV1, queue="messaging.dispatch")
async def on_pieces_released(tx: Tx, event: PieceReleasedV1, _meta: Meta) -> None:
    """Plan a message per piece."""
    await usecases.plan_pieces(tx, event)


@consumes(StepRequestedV1, queue="messaging.dispatch", sink=True)
async def on_steps_requested(tx: Tx, event: StepRequestedV1, _meta: Meta) -> None:
    """Plan what rules and programmes want said."""
    await usecases.plan_steps(tx, event)


@consumes(ConfirmationRequestedV1, queue="messaging.dispatch", sink=True)
async def on_confirmations_requested(tx: Tx, event: ConfirmationRequestedV1, _meta: Meta) -> None:
    """Plan the mails that ask for a confirmation."""
    await usecases.plan_confirmations(tx, event.items)


@consumes(PageRequestedV1, queue="messaging.dispatch", sink=True)
async def on_pages_requested(tx: Tx, event: PageRequestedV1, _meta: Meta) -> None:
    """Plan the mails that bring people the links to their own pages."""
    await usecases.plan_page_links(tx, event.items)


@consumes(NoticeRequestedV1, queue="messaging.dispatch", sink=True)
async def on_notices_requested(tx: Tx, event: NoticeRequestedV1, _meta: Meta) -> None:
    """Plan what customers must be told."""
    await usecases.plan_notices(tx, event.items)


@consumes(ReportMailRequestedV1, queue="messaging.dispatch", sink=True)
async def on_report_mails_requested(tx: Tx, event: ReportMailRequestedV1, _meta: Meta) -> None:
    """Plan the mails that bring reports to people of the company."""
    await usecases.plan_report_mails(tx, event.items)


@consumes(TestRequestedV1, queue="messaging.dispatch", sink=True)
async def on_tests_requested(tx: Tx, event: TestRequestedV1, _meta: Meta) -> None:
    """Plan test messages."""
    await usecases.plan_tests(tx, event.items)
