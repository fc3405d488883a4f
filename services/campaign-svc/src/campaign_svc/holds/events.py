"""What leaves this slice: what people decided on launches."""

from campaign_svc.campaigns.model import Launch
from kantis_contracts.campaign import LaunchHold, LaunchPausedV1, LaunchResumedV1, LaunchStoppedV1


def launch_paused(launch: Launch) -> LaunchPausedV1:
    """Tell that a launch waits."""
    return LaunchPausedV1(items=(_decision(launch),))


def launch_resumed(launch: Launch) -> LaunchResumedV1:
    """Tell that a launch goes on."""
    return LaunchResumedV1(items=(_decision(launch),))


def launch_stopped(launch: Launch) -> LaunchStoppedV1:
    """Tell that a launch has ended before its end."""
    return LaunchStoppedV1(items=(_decision(launch),))


def _decision(launch: Launch) -> LaunchHold:
    if launch.held_at is None:
        message = "a decision without its moment"
        raise ValueError(message)
    return LaunchHold(
        launch_id=launch.id,
        campaign_id=launch.campaign_id,
        version=launch.hold_version,
        reason=launch.hold_reason,
        decided_at=launch.held_at,
    )
