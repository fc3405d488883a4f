"""Dossiers do not lie about."""

from datetime import timedelta

from contacts_svc.dossier import usecases
from kantis_kit.timers import recurring
from kantis_kit.tx import Tx


@recurring("dossier.forget_old", every=timedelta(hours=1))
async def forget_old(tx: Tx) -> None:
    """Delete dossiers whose time is over."""
    await usecases.forget_old(tx)
