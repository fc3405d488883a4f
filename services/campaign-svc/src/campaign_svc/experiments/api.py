"""Experiments: which cell is better, and what the rest of the audience gets."""

from uuid import UUID

from campaign_svc.experiments import queries, usecases
from campaign_svc.experiments.schemas import ExperimentOut, WinnerIn
from kantis_kit.auth.policy import needs
from kantis_kit.web.deps import Read, Write
from kantis_kit.web.router import Router

router = Router(prefix="/v1/campaigns/{campaign_id}/experiment", tags=["campaigns"])


@router.get("", policy=needs("campaign:read"))
async def get_experiment(campaign_id: UUID, tx: Read) -> ExperimentOut:
    """Return how the cells do beside each other; looking often does no harm."""
    return await queries.get_experiment(tx, campaign_id)


@router.put("/winner", policy=needs("campaign:write"))
async def name_winner(campaign_id: UUID, body: WinnerIn, tx: Write) -> ExperimentOut:
    """Send the rest of the audience a cell that a person chooses."""
    return await usecases.name_winner(tx, campaign_id, body)
