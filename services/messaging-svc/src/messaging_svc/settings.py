"""What messaging-svc can be told from outside."""

from typing import Literal

from pydantic import Field, SecretStr, model_validator

from kantis_kit.settings import ServiceSettings


class MessagingSettings(ServiceSettings):
    """The knobs of messaging-svc, with units in their names."""

    smtp_host: str = ""
    """Mail server that takes our mails; empty: mails wait as planned."""
    smtp_port: int = 25
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_starttls: bool = False
    """Insist on TLS; a server that does not offer it gets nothing."""
    smtp_implicit_tls: bool = False
    """The server speaks TLS from the first byte, as on port 465."""
    dkim_selector: str = ""
    """Name of the DKIM key in the DNS of our domain; empty: a relay signs, or nobody."""
    dkim_key: SecretStr = SecretStr("")
    """The RSA key as PEM; with it every mail is signed for the domain of `mail_from`, which DMARC wants."""
    dns_servers: list[str] = Field(default_factory=list)
    """`address:port` of the name servers that are asked about our own domain; empty: those of the system."""
    dns_timeout_seconds: float = Field(default=4.0, gt=0, le=30)
    """Longest wait for all that one check of our domain asks."""
    smtp_timeout_seconds: float = 30.0
    """Longest wait for one answer of the mail server, but for the last."""
    smtp_final_timeout_seconds: float = 600.0
    """Longest wait for its word on a message that it has in full; an early end here is what makes duplicates."""
    sender_check_hours: float = Field(default=24.0, ge=0)
    """Our own domain is asked about anew after so long, while a mail server is there; 0: only when somebody asks."""
    mail_from: str = "Kantis <post@kantis.example>"
    """`Name <address>` of every mail; bounces go to the address."""
    company: str = "Kantis"
    """Name of the sender in the footer and in greetings."""
    sender_concurrency: int = 8
    """Connections to the mail server, and the most messages that one crash of the sender can leave in doubt."""
    sender_ahead: int = 1_024
    """Messages handed over and not yet answered; more than `sender_concurrency` only while a journal can be kept."""
    sender_batch: int = 1_000
    """Messages claimed and gated in one statement."""
    sender_lease_seconds: float = 60.0
    """After this long without news, a claimed message is another sender's, and one handed over is in doubt."""
    max_attempts: int = 8
    """Hand-overs that the mail server may put off before a message fails."""
    permission_grace_seconds: float = 900.0
    """How long a message waits for news of a permission that may still be on its way."""
    person_grace_seconds: float = 86_400.0
    """How long a message waits for a person's card that may still be on its way."""
    company_time_zone: str = "Europe/Oslo"
    """Zone in which the days and months of spend caps begin."""
    call_attempts: int = Field(default=5, ge=1, le=50)
    """Calls to a person who is not reached before a campaign gives up."""
    letter_return_address: str = ""
    """Where letters come back to that cannot be delivered, on one line; stands small above the address."""
    letter_country: str = "NO"
    """Where letters are posted; an address elsewhere ends with its country."""
    letter_track_agreement: str = Field(default="", pattern=r"^(\d{1,4})?$")
    """Number of the agreement on electronic address updates with the Norwegian Post; empty: letters carry a plain mark."""
    letter_track_grade: int = Field(default=0, ge=0, le=3)
    """What the Post does with a letter that it cannot deliver, 0 to 3."""
    letter_batch_pieces: int = Field(default=10_000, ge=1, le=100_000)
    """The most letters in one batch."""
    letter_files_days: int = Field(default=30, ge=1, le=365)
    """After its end, the files of a batch are kept so long; they hold names and addresses."""
    company_country: str = Field(default="NO", pattern=r"^[A-Z]{2}$")
    """Whose holidays the desk keeps, and whose language somebody is taken to speak of whom nothing is known."""
    reply_address: str = Field(default="", pattern=r"^([A-Za-z0-9._-]{1,10}@[A-Za-z0-9.-]+)?$")
    """`svar@lys.example`: mails are answered to `svar+<token>@…`, and what comes in names its message. Empty: answers go
    to the address of `mail_from`, and are recognised by what they refer to."""
    reply_imap_host: str = ""
    """Mail server with the mailbox of `reply_address` or of `mail_from`; empty: nobody looks into it from here."""
    reply_imap_port: int = 993
    reply_imap_tls: Literal["none", "starttls", "implicit"] = "implicit"
    """Certificates are checked."""
    reply_imap_user: str = ""
    reply_imap_password: SecretStr = SecretStr("")
    reply_imap_folder: str = Field(default="INBOX", pattern=r'^[^"\\\x00-\x1f]+$')
    reply_imap_done_folder: str = Field(default="", pattern=r'^[^"\\\x00-\x1f]*$')
    """Where mails are moved once they are taken; empty: they are marked as read."""
    reply_imap_seconds: float = Field(default=30.0, gt=0)
    """Pause between two looks."""
    reply_imap_timeout_seconds: float = Field(default=30.0, gt=0)
    chat_opens: str = Field(default="08:00", pattern=r"^[0-2][0-9]:[0-5][0-9]$")
    chat_closes: str = Field(default="16:00", pattern=r"^[0-2][0-9]:[0-5][0-9]$")
    """Between these, in the company's zone and on its working days, somebody sits at the chat."""
    chat_never_closes: bool = False
    """Somebody sits there at every hour of every day."""
    chat_starts_per_hour: int = Field(default=6, ge=1)
    """Chats, and calls that are asked for, from one network address."""
    chat_lines_per_minute: int = Field(default=20, ge=1)
    """What one visitor may write."""
    chat_stream_seconds: float = Field(default=20.0, gt=0)
    """So long a stream lasts before the browser asks again from where it is; less than a request may take."""
    mails_per_day: int = Field(default=50, ge=1)
    """From one address; more is a machine, and is not kept."""
    bounce_address: str = Field(default="", pattern=r"^([A-Za-z0-9._-]{1,10}@[A-Za-z0-9.-]+)?$")
    """`bounces@lys.example`: mails go out from `bounces+<token>@…`, and what comes back names its message. Empty: bounces
    go to the address of `mail_from`."""
    bounce_imap_host: str = ""
    """Mail server with the mailbox of `bounce_address`; empty: nobody looks into it from here."""
    bounce_imap_port: int = 993
    bounce_imap_tls: Literal["none", "starttls", "implicit"] = "implicit"
    """Certificates are checked."""
    bounce_imap_user: str = ""
    bounce_imap_password: SecretStr = SecretStr("")
    bounce_imap_folder: str = Field(default="INBOX", pattern=r'^[^"\\\x00-\x1f]+$')
    bounce_imap_done_folder: str = Field(default="", pattern=r'^[^"\\\x00-\x1f]*$')
    """Where mails are moved once they are taken; empty: they are marked as read."""
    bounce_imap_seconds: float = Field(default=60.0, gt=0)
    """Pause between two looks."""
    bounce_imap_timeout_seconds: float = Field(default=30.0, gt=0)
    bounce_secret: SecretStr = SecretStr("")
    """Stands in the address to which a mail provider reports bounces; empty: nobody can report any."""
    bounce_signing_key: SecretStr = SecretStr("")
    """With it, those reports must be signed (Standard Webhooks)."""

    sms_provider: Literal["", "46elks", "sinch", "link", "http"] = ""
    """Who carries text messages; empty: none are sent."""
    sms_url: str = ""
    """Base of the provider's API, where it is not the usual one."""
    sms_user: str = ""
    """46elks: API user name; Sinch: service plan id; LINK: user name."""
    sms_password: SecretStr = SecretStr("")
    """46elks: API password; Sinch: API token; LINK: password; http: sent as a bearer token."""
    sms_sender: str = Field(default="", max_length=16)
    """Who a text message is from: up to 11 letters and digits, or a number that takes answers."""
    sms_reply_number: str = ""
    """Where people answer with STOP; without it a text message that advertises ends with a link."""
    sms_platform_id: str = ""
    """LINK: platform id."""
    sms_partner_id: str = ""
    """LINK: platform partner id."""
    sms_gate_id: str = ""
    """LINK: gate to which delivery reports go."""
    sms_http_method: Literal["POST", "PUT"] = "POST"
    sms_http_body: str = (
        '{"to": "{to}", "from": "{from}", "text": "{text}", "reference": "{reference}"}'
    )
    """JSON of a request to a provider of another make; the words in braces are filled in."""
    sms_http_id_field: str = "id"
    """Name of the field of its answer that holds the provider's own id."""
    sms_http_idempotency_header: str = ""
    """Header in which it takes a key that makes repeating harmless, such as `Idempotency-Key`; empty: it takes none."""
    sms_webhook_secret: SecretStr = SecretStr("")
    """Stands in the addresses at which the provider reports and delivers; empty: it can do neither."""
    sms_signing_key: SecretStr = SecretStr("")
    """Sinch and http: with it, what the provider sends must be signed, and young."""
    sms_concurrency: int = Field(default=32, ge=1, le=500)
    """Requests to the provider at once, and the most text messages that one crash can leave in doubt."""
    sms_timeout_seconds: float = 10.0
    sms_price_minor: int = Field(default=0, ge=0)
    """What one part of a text message costs."""
    sms_prices_minor: dict[str, int] = Field(default_factory=dict)
    """The same by the beginning of the number, such as `{"+47": 49}`; the longest one that fits counts."""
    sms_currency: str = "NOK"
    sms_confirms_stop: bool = True
    """Answer a STOP by a text message that says that it holds."""

    @model_validator(mode="after")
    def check_mailboxes(self) -> "MessagingSettings":
        """One mailbox is looked into by one: what people write would be taken for bounces."""
        places = [
            (self.bounce_imap_host, self.bounce_imap_user, self.bounce_imap_folder),
            (self.reply_imap_host, self.reply_imap_user, self.reply_imap_folder),
        ]
        if self.reply_imap_host and places[0] == places[1]:
            message = (
                "bounce_imap_host and reply_imap_host name the same mailbox: leave the first one out, "
                "bounces are recognised in the mailbox of replies too"
            )
            raise ValueError(message)
        return self
