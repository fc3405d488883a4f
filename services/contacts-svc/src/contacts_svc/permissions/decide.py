"""May this message go out to this person: a pure function of facts, that names the rule which decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from contacts_svc.permissions.rules_table import RULES, Combination, Need, Rule, find_rule
from kantis_contracts.contacts import PermissionState
from kantis_contracts.values import Channel, MessageClass, Purpose, RecipientKind, Relation

CONSENT_BASIS = "consent"
SOFT_BASIS = "existing_customer"


class Verdict(StrEnum):
    """The answer."""

    ALLOW = "allow"
    DENY = "deny"


class Reason(StrEnum):
    """Why the answer is what it is."""

    NO_PERMISSION_NEEDED = "no_permission_needed"
    CONSENT = "consent"
    SOFT_OPT_IN = "soft_opt_in"
    NOT_REFUSED = "not_refused"
    FORBIDDEN = "forbidden"
    NO_RULE = "no_rule"
    DO_NOT_CONTACT = "do_not_contact"
    SUPPRESSED = "suppressed"
    PAUSED = "paused"
    TOPIC_REFUSED = "topic_refused"
    REFUSED = "refused"
    NOT_CONFIRMED = "not_confirmed"
    NO_CONSENT = "no_consent"
    SOFT_IS_NOT_ENOUGH = "soft_is_not_enough"
    RESERVED = "reserved"
    WASH_MISSING = "wash_missing"


class Wash(StrEnum):
    """What the reservation register of the person's country says."""

    MISSING = "missing"
    """It was not asked, or too long ago."""
    CLEAR = "clear"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a decision depends on, as it was at one moment."""

    country: str
    recipient: RecipientKind
    channel: Channel
    message_class: MessageClass
    purpose: Purpose | None
    relation: Relation
    on: date
    state: PermissionState | None = None
    legal_basis: str = ""
    ledger_ids: tuple[UUID, ...] = ()
    is_spared: bool = False
    """Marked as not to be contacted, or not before a later day."""
    suppressed_by: tuple[str, ...] = ()
    paused_until: datetime | None = None
    """Only while the pause lasts."""
    topic_refused: bool = False
    wash: Wash = Wash.MISSING


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, the rule it follows from, and why in a code and in words."""

    verdict: Verdict
    rule_id: str
    source: str
    need: Need | None
    reason: Reason
    words: str

    @property
    def is_allowed(self) -> bool:
        """Say whether the message may go out."""
        return self.verdict is Verdict.ALLOW


_WORDS = {
    Reason.NO_PERMISSION_NEEDED: "This message needs no permission",
    Reason.CONSENT: "The person has said yes",
    Reason.SOFT_OPT_IN: "The address was obtained with a sale, and the person has not refused",
    Reason.NOT_REFUSED: "Nothing is needed but that the person has not refused, and there is no refusal",
    Reason.FORBIDDEN: "Such a message is sent to nobody",
    Reason.NO_RULE: "No rule was in force for this at that time, so the answer is no",
    Reason.DO_NOT_CONTACT: "The contact is marked as not to be contacted, or not yet",
    Reason.SUPPRESSED: "The address is suppressed: nothing that advertises goes out to it in this scope",
    Reason.PAUSED: "The person has asked for a pause",
    Reason.TOPIC_REFUSED: "The person does not want this topic",
    Reason.REFUSED: "The person has said no",
    Reason.NOT_CONFIRMED: "The person was asked to confirm, and has not answered yet",
    Reason.NO_CONSENT: "A consent is needed, and there is none",
    Reason.SOFT_IS_NOT_ENOUGH: "A consent is needed; an address obtained with a sale is not enough here",
    Reason.RESERVED: "The reservation register of the country names the person",
    Reason.WASH_MISSING: "The reservation register of the country was not asked, or too long ago",
}
_YES = frozenset(
    {Reason.NO_PERMISSION_NEEDED, Reason.CONSENT, Reason.SOFT_OPT_IN, Reason.NOT_REFUSED}
)


def decide(facts: Facts, *, rules: Iterable[Rule] = RULES) -> Decision:
    """Say whether a message may go out, by which rule, and why.

    A rule that asks for nothing allows whatever the person has refused: it is no advertising. What the person has
    said no to is refused before what the rule asks for is looked at; without a rule the answer is no.
    """
    combination = Combination(
        facts.country, facts.recipient, facts.channel, facts.message_class, facts.relation
    )
    rule = find_rule(combination, facts.on, rules=rules)
    reason = Reason.NO_RULE if rule is None else _judge(rule.need, facts)
    return Decision(
        verdict=Verdict.ALLOW if reason in _YES else Verdict.DENY,
        rule_id=rule.id if rule else "none",
        source=rule.source if rule else "",
        need=rule.need if rule else None,
        reason=reason,
        words=_WORDS[reason],
    )


def _judge(need: Need, facts: Facts) -> Reason:
    if need is Need.NOTHING:
        return Reason.NO_PERMISSION_NEEDED
    if need is Need.NEVER:
        return Reason.FORBIDDEN
    return _refused(facts) or _met(need, facts)


def _refused(facts: Facts) -> Reason | None:
    """Return what the person has said no to, if anything."""
    if facts.is_spared:
        return Reason.DO_NOT_CONTACT
    if facts.suppressed_by:
        return Reason.SUPPRESSED
    if facts.state is PermissionState.WITHDRAWN:
        return Reason.REFUSED
    if facts.topic_refused:
        return Reason.TOPIC_REFUSED
    if facts.paused_until is not None:
        return Reason.PAUSED
    return None


def _met(need: Need, facts: Facts) -> Reason:
    has_consent = facts.state is PermissionState.GRANTED and facts.legal_basis == CONSENT_BASIS
    if has_consent:
        # A consent is more than any rule asks for: who asks for letters gets them in spite of a register.
        return Reason.CONSENT
    if need is Need.NO_REFUSAL:
        return Reason.NOT_REFUSED
    if need is Need.WASHED:
        return {
            Wash.CLEAR: Reason.NOT_REFUSED,
            Wash.RESERVED: Reason.RESERVED,
            Wash.MISSING: Reason.WASH_MISSING,
        }[facts.wash]
    is_soft = facts.state is PermissionState.GRANTED and facts.legal_basis == SOFT_BASIS
    if is_soft:
        return Reason.SOFT_OPT_IN if need is Need.SOFT else Reason.SOFT_IS_NOT_ENOUGH
    if facts.state is PermissionState.PENDING:
        return Reason.NOT_CONFIRMED
    return Reason.NO_CONSENT
