"""The errors that a person is told of, and the few that only the chassis raises.

KantisError
├── AppError            a refusal with a stable slug, an HTTP status and a sentence: becomes problem+json
│   ├── NotFound        404
│   ├── Conflict        409
│   ├── Forbidden       403
│   ├── Unauthenticated 401
│   ├── Invalid         422
│   ├── PreconditionFailed 412
│   ├── TooMany         429
│   ├── Unavailable     503
│   └── ItemTooLarge    413
└── BrokerError
    ├── Unroutable      no queue is bound for the event: it must not be marked published
    └── PublishFailed   the broker did not confirm within the deadline
"""

from collections.abc import Sequence
from typing import Any, ClassVar


class KantisError(Exception):
    """Base of everything that Kantis raises on purpose."""


class AppError(KantisError):
    """A refusal that the caller can understand and mend.

    Subclasses set `slug` (stable, part of the API), `status` and `title`; the instance carries the sentence.
    """

    slug: ClassVar[str] = "error"
    status: ClassVar[int] = 400
    title: ClassVar[str] = "The request was refused"

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[dict[str, Any]] = (),
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        self.detail = detail or self.title
        self.errors = list(errors)
        self.headers = headers or {}
        self.extra = extra
        super().__init__(self.detail)


class NotFound(AppError):
    """Absent, or not the caller's to see."""

    slug, status, title = "not-found", 404, "There is no such thing"


class Conflict(AppError):
    """A rule of the domain says no."""

    slug, status, title = "conflict", 409, "A rule forbids this now"


class Forbidden(AppError):
    """The caller is known but not allowed."""

    slug, status, title = "forbidden", 403, "This key may not do that"


class Unauthenticated(AppError):
    """The caller is not known."""

    slug, status, title = "unauthenticated", 401, "Send a valid API key as a bearer token"


class Invalid(AppError):
    """The input is malformed."""

    slug, status, title = "invalid-input", 422, "The input is not valid"


class PreconditionFailed(AppError):
    """The thing changed since the caller read it."""

    slug, status, title = "precondition-failed", 412, "The thing has changed since you read it"


class TooMany(AppError):
    """The caller must slow down."""

    slug, status, title = "too-many-requests", 429, "Too many requests"


class Unavailable(AppError):
    """Something that the request needs is away for the moment."""

    slug, status, title = "unavailable", 503, "Try again in a moment"


class ItemTooLarge(AppError):
    """What the request stores about one thing is more than an event can carry to the other services."""

    slug, status, title = "item-too-large", 413, "That is too much for one thing"


class BrokerError(KantisError):
    """The broker did not take an event."""


class Unroutable(BrokerError):
    """No queue is bound for the event's type."""


class PublishFailed(BrokerError):
    """The broker refused, or did not confirm within the deadline."""
