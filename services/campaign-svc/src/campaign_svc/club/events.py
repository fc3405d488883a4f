"""What of the club leaves the service: who is a member. Points stay here."""

from campaign_svc.club.model import Member
from kantis_contracts.campaign import MemberChanged, MemberChangedV1


def member_changed(member: Member) -> MemberChangedV1:
    """Say that somebody joined or left."""
    item = MemberChanged(
        number=member.number,
        person_id=member.person_id,
        is_member=member.left_at is None,
        terms_version=member.terms_version,
        place=member.place,
        changed_at=member.left_at or member.joined_at,
    )
    return MemberChangedV1(items=(item,))
