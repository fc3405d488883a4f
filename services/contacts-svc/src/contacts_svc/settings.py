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
    form_posts_per_hour: int = 50_000
    """How many leads one form takes in an hour, unless the form says another number."""
    confirmations_per_hour: int = 20_000
    """How many mailboxes may be asked in an hour by all forms together; the others are asked later."""
    visit_days: int = 395
    """How long page views are kept."""
    visit_stranger_days: int = 90
    """How long visitors are kept of whom nobody knows who they are, after they came last."""
    import_chunk_rows: int = 5_000
    """Rows of an import that share a transaction."""
    suppression_key: SecretStr = SecretStr("")
    """Key of the hashes by which erased addresses are known; without one they could be guessed from a stolen copy."""
    segment_max_cost: float = 50_000_000
    """What a condition may cost in the planner's units; a scan of 500,000 people is about 30,000."""
    segment_preview_timeout_ms: int = 5_000
    """How long the count of a condition that is being tried may take."""
    segment_sweep_timeout_ms: int = 600_000
    """How long a statement may take that counts or freezes an audience; of a million people it takes seconds, under load
    minutes."""
    permissions_soft_opt_in_after_sale: bool = False
    """Whether our checkout says beside the address that offers of similar goods follow, and lets refuse them there."""
    permissions_no_soft_opt_in_from: str = (
        "competition,konkurranse,tävling,konkurrence,kilpailu,arvonta"
    )
    """Words in a contact's source that tell that its address was not obtained with a sale."""
