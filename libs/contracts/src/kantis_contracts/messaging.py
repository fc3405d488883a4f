"""Facts that messaging-svc publishes: what became of every message."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from kantis_contracts.base import Event, Item, Items
from kantis_contracts.privacy import DossierPart, ErasureReceipt
from kantis_contracts.values import Channel, Language, MessageClass, Purpose


class SettledState(StrEnum):
    """How a dispatch ended."""

    ACCEPTED = "accepted"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    IN_DOUBT = "in_doubt"


class Settled(Item):
    """The end of one dispatch. `reason` names the rule that suppressed it or the answer of the carrier."""

    message_id: UUID
    piece_id: UUID | None = None
    step_id: UUID | None = None
    """Of a message that a rule or a programme asked for."""
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    person_id: UUID | None = None
    channel: Channel
    state: SettledState
    reason: str = ""
    settled_at: datetime


class MessageSettledV1(Event, type="messaging.message.settled.v1"):
    """Dispatches have ended."""

    items: tuple[Settled, ...] = Items


class LaunchSpike(Item):
    """A launch of which too many messages came back. `kind` is bounce or complaint."""

    launch_id: UUID
    campaign_id: UUID
    kind: str
    count: int
    """Bounces or complaints in the window,"""
    of_messages: int
    """of so many messages."""
    limit_pct: float
    window_minutes: int
    paused_at: datetime


class SpikeNoticedV1(Event, type="messaging.spike.noticed.v1"):
    """Launches have paused themselves after a spike of bounces or complaints; a person resumes them."""

    items: tuple[LaunchSpike, ...] = Items


class Engagement(Item):
    """A click or an opening. `verdict` is human, suspect or machine."""

    engagement_id: UUID
    message_id: UUID
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    person_id: UUID | None = None
    link_id: UUID | None = None
    verdict: str = "human"
    channel: Channel = Channel.EMAIL
    seen_at: datetime


class LinkClickedV1(Event, type="messaging.link.clicked.v1"):
    """Links in messages have been followed."""

    items: tuple[Engagement, ...] = Items


class MessageOpenedV1(Event, type="messaging.message.opened.v1"):
    """Messages have been shown."""

    items: tuple[Engagement, ...] = Items


class Withdrawal(Item):
    """A person's no, already in force where messages are sent. `purpose` None means every purpose."""

    withdrawal_id: UUID
    person_id: UUID
    channel: Channel
    purpose: Purpose | None = None
    source: str
    """`one_click`, `page`, `preference_page`, `complaint`, `reply`, `call`."""
    message_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    withdrawn_at: datetime


class PermissionWithdrawnV1(Event, type="messaging.permission.withdrawn.v1"):
    """People have said no."""

    items: tuple[Withdrawal, ...] = Items


class Wish(Item):
    """What a person wants no more of, already in force where messages are sent: one topic, or everything for a while."""

    wish_id: UUID
    person_id: UUID
    topic: str = ""
    """The key of a topic that they do not want; empty for a pause."""
    paused_until: datetime | None = None
    stated_at: datetime


class WishStatedV1(Event, type="messaging.wish.stated.v1"):
    """People have said that they do not want a topic, or nothing for a while."""

    items: tuple[Wish, ...] = Items


class AddressOutcome(StrEnum):
    """What a message showed of an address."""

    DELIVERED = "delivered"
    SOFT_BOUNCE = "soft_bounce"
    HARD_BOUNCE = "hard_bounce"


class AddressReport(Item):
    """What happened at a person's address; one report counts once, and not at all when it was taken back.

    Nothing is reported of what is our own fault: a server that does not like our network says nothing of the address.
    """

    report_id: UUID
    person_id: UUID
    message_id: UUID | None = None
    channel: Channel
    outcome: AddressOutcome
    is_undone: bool = False
    occurred_at: datetime


class AddressReportedV1(Event, type="messaging.address.reported.v1"):
    """Messages have been delivered, or have come back, after a carrier had accepted them."""

    items: tuple[AddressReport, ...] = Items


class LetterIdentified(Item):
    """Whose letter carries a return mark that the post brought back; nobody's that we know, without `person_id`."""

    return_id: UUID
    person_id: UUID | None = None
    piece_id: UUID | None = None
    campaign_id: UUID | None = None


class LetterIdentifiedV1(Event, type="messaging.letter.identified.v1"):
    """Letters that came back have been looked up by their return marks."""

    items: tuple[LetterIdentified, ...] = Items


class Reply(Item):
    """A message that came in. `kind` is stop, start, help, vote, order, inquiry or other; its words stay with us."""

    reply_id: UUID
    person_id: UUID | None = None
    channel: Channel
    kind: str
    keyword: str = ""
    option: str = ""
    """What was voted for."""
    conversation_id: UUID | None = None
    """Where a person of ours answers it."""
    opens_conversation: bool = False
    """An answer was not due in that conversation before."""
    message_id: UUID | None = None
    """The message of ours that it answers."""
    campaign_id: UUID | None = None
    received_at: datetime


class ReplyReceivedV1(Event, type="messaging.reply.received.v1"):
    """People have written to us."""

    items: tuple[Reply, ...] = Items


class ReplyAnswered(Item):
    """Nothing that came in a conversation until this moment waits any more: it was answered, or needs no answer."""

    conversation_id: UUID
    person_id: UUID | None = None
    answered_at: datetime


class ReplyAnsweredV1(Event, type="messaging.reply.answered.v1"):
    """People who wrote to us have been answered."""

    items: tuple[ReplyAnswered, ...] = Items


class Learned(Item):
    """What a person said of themselves in a call, by the key of a word of the vocabulary; `note` in the caller's words."""

    term: str
    strength: int = 3
    note: str = ""


class CallEnd(Item):
    """How a call ended. `effect` says what follows: answered, call_back, again, stop, wrong_number, gone.

    A person who is called several times has a call each time; `attempt` counts them.
    """

    call_id: UUID
    message_id: UUID
    person_id: UUID | None = None
    campaign_id: UUID | None = None
    cell_id: UUID | None = None
    attempt: int = 1
    outcome: str
    """A word of the company's vocabulary, such as reached_yes."""
    effect: str
    caller: str = ""
    note: str = ""
    learned: tuple[Learned, ...] = ()
    follow_up: str = ""
    """What somebody is to do after the call."""
    call_back_at: datetime | None = None
    began_at: datetime
    ended_at: datetime


class CallEndedV1(Event, type="messaging.call.ended.v1"):
    """Calls have ended."""

    items: tuple[CallEnd, ...] = Items


class MessagingErasureCompletedV1(Event, type="messaging.messaging_erasure.completed.v1"):
    """Messaging has forgotten persons."""

    items: tuple[ErasureReceipt, ...] = Items


class MessagingDossierAnsweredV1(Event, type="messaging.messaging_dossier.answered.v1"):
    """What messaging holds of persons who asked."""

    items: tuple[DossierPart, ...] = Items


class TemplateFinding(Item):
    """One thing that a launch would meet in a template, and how to mend it."""

    code: str
    severity: str
    """error or warning."""
    language: Language | None = None
    field: str = ""
    """The field that is meant, where it is one that has no content."""
    message: str
    mend: str = ""


class TemplateCard(Item):
    """A template as it stands: for which class of messages it was written and checked."""

    template_id: UUID
    revision: int
    """Of two cards of one template the higher one holds."""
    name: str
    number: int
    """Of its version."""
    message_class: MessageClass


class TemplateChangedV1(Event, type="messaging.template.changed.v1"):
    """Templates were made, or another version of them stands."""

    items: tuple[TemplateCard, ...] = Items


class TemplateCheck(Item):
    """What a launch would meet with one template in one channel."""

    cell_id: UUID
    channel: Channel
    template_id: UUID
    findings: tuple[TemplateFinding, ...] = ()


class TemplateCheckedV1(Event, type="messaging.template.checked.v1"):
    """The answer to a pre-flight about the templates of its campaign."""

    preflight_id: UUID
    campaign_id: UUID
    items: tuple[TemplateCheck, ...] = Items


class SenderFinding(Item):
    """One thing that receivers look at before they believe where a mail is from."""

    check: str
    """spf, dkim, dmarc or alignment."""
    verdict: str
    """good, warning, error or unknown."""
    detail: str = ""
    """What is wrong, and how to mend it."""


class SenderCheck(Item):
    """What the DNS said of a domain that mails are from; of two the later one counts."""

    domain: str
    is_ours: bool = False
    """Whether the mails of campaigns are from it."""
    findings: tuple[SenderFinding, ...] = ()
    checked_at: datetime


class SenderCheckedV1(Event, type="messaging.sender.checked.v1"):
    """The DNS was asked whether mails from our domains will be believed to be from them."""

    items: tuple[SenderCheck, ...] = Items
