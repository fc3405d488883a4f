"""Read how mailboxes are."""

from sqlalchemy import func, select

from kantis_kit.tx import ReadTx
from messaging_svc.mailboxes.imap import Account
from messaging_svc.mailboxes.model import mailbox_mail, mailbox_state
from messaging_svc.mailboxes.schemas import MailboxOut


async def list_mailboxes(tx: ReadTx, account: Account | None) -> list[MailboxOut]:
    """Return a mailbox as it was when it was looked into last, with how many mails it has given lately."""
    if account is None:
        return []
    taken = (
        select(func.count())
        .where(mailbox_mail.c.mailbox == mailbox_state.c.mailbox)
        .scalar_subquery()
    )
    rows = await tx.execute(
        select(mailbox_state, taken.label("taken")).where(mailbox_state.c.mailbox == account.name)
    )
    return [MailboxOut.model_validate(row, from_attributes=True) for row in rows]
