"""Timed work: which mails were taken is not remembered for ever."""

from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from messaging_svc.mailboxes import fetching


@recurring("mailboxes.forget", cron="37 * * * *")
async def forget(tx: Tx) -> None:
    """Forget mails that are marked at their server since long ago."""
    await fetching.forget_old(tx)
