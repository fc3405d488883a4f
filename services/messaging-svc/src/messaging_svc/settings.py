"""What messaging-svc can be told from outside."""

from pydantic import Field, SecretStr

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
    smtp_timeout_seconds: float = 30.0
    """Longest wait for one answer of the mail server."""
    mail_from: str = "Kantis <post@kantis.example>"
    """`Name <address>` of every mail; bounces go to the address."""
    company: str = "Kantis"
    """Name of the sender in the footer and in greetings."""
    sender_concurrency: int = 8
    """Connections to the mail server, and the most messages that one crash can leave in doubt."""
    sender_batch: int = 500
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
