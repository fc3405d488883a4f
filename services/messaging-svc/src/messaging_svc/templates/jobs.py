"""Timed work: whoever keeps a note of templates hears of all of them."""

from datetime import timedelta

from kantis_kit.timers import recurring
from kantis_kit.tx import Tx
from messaging_svc.templates import usecases


@recurring("templates.told", every=timedelta(days=30))
async def tell_templates(tx: Tx) -> None:
    """Tell of every template which version stands: at the first start also of those that were saved before that was told.

    After that, now and then, for a copy that has lost what it heard. Whoever holds a card already keeps it.
    """
    await usecases.tell_all(tx)
