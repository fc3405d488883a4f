"""Which facts about segments leave the service."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson

from contacts_svc.segments.compile import read_route
from contacts_svc.segments.model import FrozenAudience, Segment, Standing, ToldPage
from kantis_contracts.campaign import PreflightRequest, Rehearsal, RuleCard
from kantis_contracts.contacts import (
    AudienceFrozenV1,
    AudienceRefusal,
    AudienceRefusedV1,
    ChannelReach,
    ClauseFacts,
    ConditionEnteredV1,
    ConditionJudgedV1,
    ConditionMove,
    ConditionVerdict,
    Exclusion,
    ReachCountedV1,
    RegisterWash,
    RehearsalCountedV1,
    RehearsedEntry,
    RouteGroup,
    SegmentChange,
    SegmentChangedV1,
    SegmentMove,
)
from kantis_contracts.values import Channel
from kantis_kit.outbox import Encoded


def reach_counted(
    request: PreflightRequest,
    segment: Segment,
    standing: Standing,
    exclusions: Sequence[Exclusion],
    *,
    channels: Sequence[ChannelReach],
    groups: Sequence[RouteGroup],
    washes: Sequence[RegisterWash],
) -> ReachCountedV1:
    """Answer a pre-flight."""
    return ReachCountedV1(
        preflight_id=request.preflight_id,
        campaign_id=request.campaign_id,
        segment_id=request.segment_id,
        segment_name=segment.name,
        members=standing.members,
        missing_preferred_name=standing.nameless,
        doubtful_names=standing.doubtful,
        likely_duplicates=standing.duplicates,
        scored=standing.scored,
        mean_quality_score=standing.mean_score,
        low_quality_scores=standing.low_scores,
        washes=tuple(washes),
        exclusions=tuple(
            exclusion.model_copy(update={"people": people})
            for exclusion, people in zip(exclusions, standing.left_out, strict=True)
        ),
        debtors=standing.debtors,
        tired=standing.tired,
        consents=standing.consents,
        without_text=standing.without_text,
        languages=dict(standing.languages),
        groups=tuple(groups),
        items=tuple(channels),
    )


def reach_unknown(request: PreflightRequest) -> ReachCountedV1:
    """Answer a pre-flight of a segment that is not there: it reaches nobody."""
    return ReachCountedV1(
        preflight_id=request.preflight_id,
        campaign_id=request.campaign_id,
        segment_id=request.segment_id,
        is_known=False,
        items=tuple(ChannelReach(channel=channel, reachable=0) for channel in request.channels),
    )


def segment_changed(
    *,
    segment_id: UUID,
    name: str,
    version: int,
    revision: int,
    members: int,
    moves: Sequence[tuple[UUID, bool]],
    at: datetime,
    is_built: bool,
) -> SegmentChangedV1:
    """Tell who came into a segment and who left it, and how many are in it now."""
    items = [
        SegmentMove(
            person_id=person_id,
            change=SegmentChange.ENTERED if came else SegmentChange.LEFT,
            at=at,
        )
        for person_id, came in moves
    ]
    if is_built:
        items.append(SegmentMove(change=SegmentChange.BUILT, at=at))
    return SegmentChangedV1(
        segment_id=segment_id,
        segment_name=name,
        version=version,
        revision=revision,
        members=members,
        items=tuple(items),
    )


def condition_moves(
    segment_id: UUID,
    moves: Iterable[tuple[UUID, bool]],
    reasons: Mapping[UUID, Sequence[ClauseFacts]],
    *,
    at: datetime,
) -> list[ConditionMove]:
    """Return of whom a condition has become true, and why, and of whom it is no longer."""
    return [
        ConditionMove(
            segment_id=segment_id,
            person_id=person_id,
            change=SegmentChange.ENTERED if came else SegmentChange.LEFT,
            at=at,
            clauses=tuple(reasons.get(person_id, ())),
        )
        for person_id, came in moves
    ]


def conditions_entered(moves: Sequence[ConditionMove]) -> ConditionEnteredV1:
    """Tell rules of whom their conditions have become true."""
    return ConditionEnteredV1(items=tuple(moves))


def audience_refused(audience: FrozenAudience, reason: str) -> AudienceRefusedV1:
    """Say that a launch has nobody to send to."""
    refusal = AudienceRefusal(
        launch_id=audience.launch_id, campaign_id=audience.campaign_id, reason=reason
    )
    return AudienceRefusedV1(items=(refusal,))


def audience_frozen(
    audience: FrozenAudience, page: ToldPage, channels: Sequence[Channel]
) -> Encoded:
    """Tell a page of the audience; each of its different routes once, and what many members share written once."""
    # Without masks all clauses hold for everybody; without routes none were asked for.
    size = len(page.person_ids)
    marks = list(zip(page.masks or [-1] * size, page.routes or [""] * size, strict=True))
    places = {route: place for place, route in enumerate(dict.fromkeys(r for _, r in marks))}
    rest = {
        (mask, route): orjson.dumps(
            {"because": page.because(mask), "route": places[route] if channels else None}
        ).decode()[1:]
        for mask, route in dict.fromkeys(marks)
    }
    told = AudienceFrozenV1(
        launch_id=audience.launch_id,
        campaign_id=audience.campaign_id,
        segment_id=audience.segment_id,
        segment_name=audience.segment_name,
        total=audience.total,
        routes=tuple(read_route(one, channels) for one in places) if channels else (),
        items=(),
    )
    return Encoded(
        AudienceFrozenV1,
        [
            f'{{"person_id":"{person_id}",{rest[mark]}'.encode()
            for person_id, mark in zip(page.person_ids, marks, strict=True)
        ],
        shared=told.model_dump_json(exclude={"items"}).encode(),
    )


def conditions_judged(verdicts: Sequence[ConditionVerdict]) -> ConditionJudgedV1:
    """Tell what was said to the conditions of rules."""
    return ConditionJudgedV1(items=tuple(verdicts))


def accepted(
    card: RuleCard,
    segment: Segment,
    *,
    in_words: str,
    reads: Sequence[str],
    lists: Sequence[UUID],
) -> ConditionVerdict:
    """Return a yes to the condition of a rule."""
    return ConditionVerdict(
        rule_id=card.rule_id,
        version=card.version,
        segment_id=segment.id,
        segment_name=segment.name,
        is_accepted=True,
        in_words=in_words,
        reads=tuple(reads),
        lists=tuple(lists),
    )


def refused(card: RuleCard, problem: str) -> ConditionVerdict:
    """Return a no to the condition of a rule, with what is wrong with it."""
    return ConditionVerdict(
        rule_id=card.rule_id,
        version=card.version,
        segment_id=card.segment_id,
        is_accepted=False,
        problem=problem,
    )


def rehearsed(
    asked: Rehearsal,
    entries: Sequence[tuple[UUID, datetime]],
    *,
    most: int,
    as_now: Sequence[str] = (),
    problem: str = "",
) -> RehearsalCountedV1:
    """Tell of whom a condition would have become true; of very many only the first are named."""
    listed = [RehearsedEntry(person_id=person_id, at=at) for person_id, at in entries[:most]]
    return RehearsalCountedV1(
        rehearsal_id=asked.rehearsal_id,
        rule_id=asked.rule_id,
        entries=len(entries),
        listed=len(listed),
        as_now=tuple(as_now),
        problem=problem,
        items=(*listed, RehearsedEntry(at=asked.until)),
    )
