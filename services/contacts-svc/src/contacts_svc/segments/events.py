"""Which facts about segments leave the service."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from contacts_svc.segments.model import FrozenAudience, Segment, Standing
from kantis_contracts.campaign import PreflightRequest
from kantis_contracts.contacts import (
    AudienceFrozenV1,
    AudienceMember,
    AudienceRefusal,
    AudienceRefusedV1,
    ChannelReach,
    ReachCountedV1,
    RegisterWash,
    SegmentChange,
    SegmentChangedV1,
    SegmentMove,
)


def reach_counted(
    request: PreflightRequest,
    segment: Segment,
    standing: Standing,
    channels: Sequence[ChannelReach],
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
        likely_duplicates=standing.duplicates,
        scored=standing.scored,
        mean_quality_score=standing.mean_score,
        low_quality_scores=standing.low_scores,
        washes=tuple(washes),
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


def audience_refused(audience: FrozenAudience, reason: str) -> AudienceRefusedV1:
    """Say that a launch has nobody to send to."""
    refusal = AudienceRefusal(
        launch_id=audience.launch_id, campaign_id=audience.campaign_id, reason=reason
    )
    return AudienceRefusedV1(items=(refusal,))


def audience_frozen(
    audience: FrozenAudience, members: Sequence[tuple[UUID, Sequence[str]]]
) -> AudienceFrozenV1:
    """Tell a page of the audience."""
    return AudienceFrozenV1(
        launch_id=audience.launch_id,
        campaign_id=audience.campaign_id,
        segment_id=audience.segment_id,
        segment_name=audience.segment_name,
        total=audience.total,
        items=tuple(
            AudienceMember(person_id=person_id, because=tuple(because))
            for person_id, because in members
        ),
    )
