"""What the register says of rules' conditions, and of whom they become true."""

from campaign_svc.rules import usecases
from kantis_contracts.contacts import ConditionEnteredV1, ConditionJudgedV1, RehearsalCountedV1
from kantis_kit.consumer import Meta, consumes
from kantis_kit.tx import Tx


@consumes(ConditionEnteredV1, queue="campaign.rules")
async def on_conditions_entered(tx: Tx, event: ConditionEnteredV1, _meta: Meta) -> None:
    """Conditions of rules have become true of people."""
    await usecases.follow_conditions(tx, event.items)


@consumes(ConditionJudgedV1, queue="campaign.rules")
async def on_conditions_judged(tx: Tx, event: ConditionJudgedV1, _meta: Meta) -> None:
    """The register has looked at conditions."""
    await usecases.take_verdicts(tx, event.items)


@consumes(RehearsalCountedV1, queue="campaign.rules")
async def on_rehearsal_counted(tx: Tx, event: RehearsalCountedV1, _meta: Meta) -> None:
    """The register has looked at the days that have been."""
    await usecases.take_rehearsal(tx, event)
