"""Reads of experiments."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from campaign_svc.campaigns.model import Campaign, Launch, Piece
from campaign_svc.campaigns.queries import cells_of, find_launch, get_campaign
from campaign_svc.campaigns.schemas import Experiment, Metric, PieceState
from campaign_svc.experiments import sequential
from campaign_svc.experiments.errors import NoExperiment
from campaign_svc.experiments.schemas import CellResult, ExperimentOut, PairResult
from campaign_svc.experiments.sequential import Tally
from kantis_kit.tx import ReadTx

Pair = tuple[UUID, UUID]
_DONE = {
    Metric.RESPONDED: col(Piece.responded_at),
    Metric.ORDERED: col(Piece.ordered_at),
    Metric.PAID: col(Piece.paid_at),
}


async def tally(tx: ReadTx, campaign: Campaign, metric: Metric) -> dict[UUID, Tally]:
    """Return per cell how many pieces arrived in the experiment and how many were answered as asked."""
    found = await tx.execute(
        select(
            col(Piece.cell_id),
            func.count().label("sent"),
            func.count(_DONE[metric]).label("successes"),
        )
        .where(
            col(Piece.campaign_id) == campaign.id,
            col(Piece.state) == PieceState.ACCEPTED.value,
            ~col(Piece.is_reserve),
        )
        .group_by(col(Piece.cell_id))
    )
    counted = {row.cell_id: Tally(row.sent, row.successes) for row in found}
    return {cell.id: counted.get(cell.id, Tally(0, 0)) for cell in await cells_of(tx, campaign.id)}


def compare(
    campaign: Campaign,
    experiment: Experiment,
    tallies: Mapping[UUID, Tally],
    before: Mapping[str, float],
) -> dict[Pair, float]:
    """Return the p-value of each pair: the smallest that was ever seen holds."""
    tau = expected_rate(campaign) * float(experiment.lift_pct) / 100
    return {
        (one, other): min(
            before.get(pair_key((one, other)), 1.0),
            sequential.p_value(tallies[one], tallies[other], tau),
        )
        for one, other in sequential.pairs(tallies)
    }


def expected_rate(campaign: Campaign) -> float:
    """Return the rate that the campaign is planned with; a planner who expects nothing has at least one in a thousand."""
    return max(0.001, float(campaign.expected_response_pct) / 100)


def pair_key(pair: Pair) -> str:
    """Return the name under which a pair's smallest p-value is kept."""
    return f"{pair[0]}/{pair[1]}"


async def get_experiment(tx: ReadTx, campaign_id: UUID) -> ExperimentOut:
    """Return how an experiment stands now.

    Raises:
        CampaignUnknown: there is no such campaign.
        NoExperiment: it compares nothing.
    """
    campaign = await get_campaign(tx, campaign_id)
    if campaign.experiment is None:
        raise NoExperiment("Give the draft an experiment: PATCH /v1/campaigns/{campaign_id}")
    experiment = Experiment.model_validate(campaign.experiment)
    launch = await find_launch(tx, campaign_id)
    decision = (launch.decision if launch else None) or {}
    tallies = await tally(tx, campaign, experiment.metric)
    p_values = compare(campaign, experiment, tallies, decision.get("p_values", {}))
    names = {cell.id: cell.name for cell in await cells_of(tx, campaign_id)}
    rate = expected_rate(campaign)
    lifted = min(0.999, rate * (1 + float(experiment.lift_pct) / 100))
    return ExperimentOut(
        campaign_id=campaign_id,
        metric=experiment.metric,
        alpha_pct=experiment.alpha_pct,
        per_cell=sequential.sample_size(rate, lifted, alpha=float(experiment.alpha_pct) / 100),
        cells=[
            CellResult(
                cell_id=cell_id,
                name=names[cell_id],
                sent=one.sent,
                successes=one.successes,
                rate=one.rate,
            )
            for cell_id, one in tallies.items()
        ],
        pairs=[
            PairResult(cell_id=one, other_id=other, p_value=p)
            for (one, other), p in p_values.items()
        ],
        waiting=await count_waiting(tx, launch) if launch else 0,
        winner_cell_id=launch.winner_cell_id if launch else None,
        decided_at=launch.decided_at if launch else None,
        decided_by=decision.get("by", ""),
        reason=decision.get("reason", ""),
    )


async def count_waiting(tx: ReadTx, launch: Launch) -> int:
    """Return how many people wait for the winner."""
    return int(
        await tx.scalar(
            select(func.count()).where(
                col(Piece.launch_id) == launch.id,
                col(Piece.state) == PieceState.WAITING.value,
                col(Piece.is_reserve),
            )
        )
    )
