"""Facts that contacts-svc publishes: who people are and what they allow."""

from kantis_contracts.contacts.intake import (
    ConfirmationRequest,
    ConfirmationRequestedV1,
    LeadReceived,
    LeadReceivedV1,
)
from kantis_contracts.contacts.people import (
    Lifecycle,
    PersonCard,
    PersonChangedV1,
    PersonMerge,
    PersonMergedV1,
)
from kantis_contracts.contacts.permissions import (
    PageRequest,
    PageRequestedV1,
    PermissionChangedV1,
    PermissionEntry,
    PermissionState,
    PreferenceCard,
    PreferenceChangedV1,
    SuppressionChangedV1,
    SuppressionEntry,
)
from kantis_contracts.contacts.segments import (
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

__all__ = [
    "AudienceFrozenV1",
    "AudienceMember",
    "AudienceRefusal",
    "AudienceRefusedV1",
    "ChannelReach",
    "ConfirmationRequest",
    "ConfirmationRequestedV1",
    "LeadReceived",
    "LeadReceivedV1",
    "Lifecycle",
    "PageRequest",
    "PageRequestedV1",
    "PermissionChangedV1",
    "PermissionEntry",
    "PermissionState",
    "PersonCard",
    "PersonChangedV1",
    "PersonMerge",
    "PersonMergedV1",
    "PreferenceCard",
    "PreferenceChangedV1",
    "ReachCountedV1",
    "RegisterWash",
    "SegmentChange",
    "SegmentChangedV1",
    "SegmentMove",
    "SuppressionChangedV1",
    "SuppressionEntry",
]
