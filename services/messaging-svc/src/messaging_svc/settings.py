"""What messaging-svc can be told from outside."""

from pydantic import SecretStr

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
    smtp_timeout_seconds: float = 30.0
    """Longest wait for one answer of the mail server, but for the last."""
    smtp_final_timeout_seconds: float = 600.0
    """Longest wait for its word on a message that it has in full; an early end here is what makes duplicates."""
    mail_from: str = "Kantis <post@kantis.example>"
    """`Name <address>` of every mail; bounces go to the address."""
    company: str = "Kantis"
    """Name of the sender in the footer and in greetings."""
    sender_concurrency: int = 8
    """Connections to the mail server, and the most messages that one crash of the sender can leave in doubt."""
    sender_ahead: int = 512
    """Messages handed over and not yet answered; more than `sender_concurrency` only while a journal can be kept."""
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
