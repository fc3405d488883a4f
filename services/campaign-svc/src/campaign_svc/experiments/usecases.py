"""Find the winner of an experiment, or take a person's word, and send it to the rest of the audience."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlmodel import col

from campaign_svc.campaigns.errors import CellUnknown, NotLaunched
from campaign_svc.campaigns.model import Campaign, Launch, Piece
from campaign_svc.campaigns.queries import cells_of, find_launch, get_campaign
from campaign_svc.campaigns.schemas import CampaignState, Experiment, PieceState
from campaign_svc.campaigns.usecases import lock_launch, release_wave
from campaign_svc.experiments import queries, sequential
from campaign_svc.experiments.errors import NoExperiment, WinnerKnown
from campaign_svc.experiments.schemas import ExperimentOut, WinnerIn
from kantis_kit.tx import Tx

BY_FIGURES = "figures"


async def look(tx: Tx) -> None:
    """Look at every experiment that has no winner yet."""
    rows = await tx.execute(
        select(col(Launch.id), col(Launch.campaign_id))
        .join(Campaign, col(Campaign.id) == col(Launch.campaign_id))
        .where(
            # One that compares nothing holds the null of JSON, which the database takes for a value.
            func.jsonb_typeof(col(Campaign.experiment)) == "object",
            col(Launch.winner_cell_id).is_(None),
            col(Launch.state) == CampaignState.RUNNING.value,
        )
        .order_by(col(Launch.id))
    )
    for row in rows.all():
        await _look_at(tx, row.id, await get_campaign(tx, row.campaign_id))


async def _look_at(tx: Tx, launch_id: UUID, campaign: Campaign) -> None:
    launch = await lock_launch(tx, launch_id)
    if launch is None or launch.winner_cell_id is not None:
        return
    experiment = Experiment.model_validate(campaign.experiment)
    tallies = await queries.tally(tx, campaign, experiment.metric)
    before: dict[str, Any] = launch.decision or {}
    p_values = queries.compare(campaign, experiment, tallies, before.get("p_values", {}))
    kept = {queries.pair_key(pair): p for pair, p in p_values.items()}
    launch.decision = {**before, "p_values": kept}
    winner = sequential.winner_of(tallies, p_values, float(experiment.alpha_pct) / 100)
    if winner is not None:
        await _decide(tx, campaign, launch, winner, by=BY_FIGURES, reason="better than every other")
    elif _is_over(experiment, tx.clock.now()):
        best = max(tallies, key=lambda cell_id: tallies[cell_id].rate)
        reason = f"no winner by {experiment.decide_by}: the best so far"
        await _decide(tx, campaign, launch, best, by=BY_FIGURES, reason=reason)


def _is_over(experiment: Experiment, now: datetime) -> bool:
    return experiment.decide_by is not None and now >= experiment.decide_by


async def name_winner(tx: Tx, campaign_id: UUID, body: WinnerIn) -> ExperimentOut:
    """Send the rest what a person says; the same again changes nothing.

    Raises:
        CampaignUnknown: there is no such campaign.
        NoExperiment: it compares nothing.
        NotLaunched: it has not been launched.
        CellUnknown: it has no such cell.
        WinnerKnown: it has another winner.
    """
    campaign = await get_campaign(tx, campaign_id)
    if campaign.experiment is None:
        raise NoExperiment("All of its audience gets its cells as they are")
    found = await find_launch(tx, campaign_id)
    launch = await lock_launch(tx, found.id) if found else None
    if launch is None:
        raise NotLaunched("The campaign has not been launched")
    if body.cell_id not in {cell.id for cell in await cells_of(tx, campaign_id)}:
        raise CellUnknown(f"cell_id: the campaign has no cell {body.cell_id}")
    if launch.winner_cell_id is None:
        await _decide(tx, campaign, launch, body.cell_id, by=tx.actor, reason=body.reason)
    elif launch.winner_cell_id != body.cell_id:
        raise WinnerKnown(f"The rest has got the cell {launch.winner_cell_id}")
    return await queries.get_experiment(tx, campaign_id)


async def _decide(
    tx: Tx, campaign: Campaign, launch: Launch, winner: UUID, *, by: str, reason: str
) -> None:
    launch.winner_cell_id, launch.decided_at = winner, tx.clock.now()
    launch.decision = {**(launch.decision or {}), "by": by, "reason": reason}
    await tx.flush()  # what waits is moved by a statement of its own
    cell = next(one for one in await cells_of(tx, campaign.id) if one.id == winner)
    costs = [
        (col(Piece.channel) == way.channel, way.cost_minor) for way in cell.plan(campaign).ways
    ]
    await tx.execute(
        update(Piece)
        .where(
            col(Piece.launch_id) == launch.id,
            col(Piece.state) == PieceState.WAITING.value,
            col(Piece.is_reserve),
        )
        .values(
            cell_id=winner, is_reserve=False, cost_minor=case(*costs, else_=col(Piece.cost_minor))
        )
        .execution_options(synchronize_session=False)
    )
    tx.audit("experiment.decide", str(campaign.id), cell_id=str(winner), by=by, reason=reason)
    await release_wave(tx, launch.id)
