"""Knobs of contacts-svc."""

from pydantic import SecretStr

from kantis_kit.settings import ServiceSettings


class ContactsSettings(ServiceSettings):
    """What this service needs to know beyond the chassis."""

    form_posts_per_ip: str = "120/minute"
    """How many leads one visitor's network address may post, in the notation of the `limits` library."""
    form_posts_per_address: str = "20/hour"
    """How many leads may name one e-mail address or phone number."""
    trust_forwarded_for: bool = False
    """Whether the last address in X-Forwarded-For was written by our own gateway."""
    form_minimum_seconds: int = 2
    """A page filled in faster than this was not filled in by a person."""
    import_chunk_rows: int = 2_000
    """Rows of an import that share a transaction."""
    import_max_body_bytes: int = 100 * 1024 * 1024
    suppression_key: SecretStr = SecretStr("")
    """Key of the hashes by which erased addresses are known; without one they could be guessed from a stolen copy."""
