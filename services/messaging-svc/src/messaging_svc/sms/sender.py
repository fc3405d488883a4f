"""Text messages as a channel: one request each, over pooled connections."""

from collections.abc import Sequence
from datetime import datetime

from kantis_contracts.values import Channel
from kantis_kit import observability
from kantis_kit.clock import Clock
from kantis_kit.errors import Unavailable
from kantis_kit.http import OutgoingClient, Unanswered
from kantis_kit.service import Service
from kantis_kit.tx import Scope, Tx
from messaging_svc.dispatch.carriers import Lost
from messaging_svc.dispatch.handed import NOTES_PER_MESSAGE_AHEAD
from messaging_svc.dispatch.inheritance import FOLDER, inherit
from messaging_svc.dispatch.ledger import Ledger
from messaging_svc.dispatch.letters import Item
from messaging_svc.dispatch.lines import Lines
from messaging_svc.dispatch.sender import run_sender
from messaging_svc.settings import MessagingSettings
from messaging_svc.sms.model import TextMessage
from messaging_svc.sms.providers.known import provider_of
from messaging_svc.sms.providers.port import Provider
from messaging_svc.sms.writing import Texts
from messaging_svc.wire.journal import Journal

log = observability.get_logger(__name__)


class SmsCarrier:
    """The channel of text messages."""

    channel = Channel.SMS.value
    takes: Sequence[str] = (Channel.SMS.value,)

    def __init__(self, settings: MessagingSettings, provider: Provider) -> None:
        self.lines = settings.sms_concurrency
        self._settings = settings
        self.repeats = provider.repeats
        self._provider = provider
        self._texts = Texts(settings, report_url=report_url(settings, provider))
        self._client = OutgoingClient(
            timeout_seconds=settings.sms_timeout_seconds,
            connect_seconds=settings.sms_timeout_seconds,
            max_in_flight=settings.sms_concurrency,
        )

    def desk(self, ledger: Ledger, clock: Clock) -> Lines[TextMessage]:
        """Return as many lines as may ask the provider at once."""
        settings = self._settings
        return Lines(
            self,
            ledger,
            clock,
            max_attempts=settings.max_attempts,
            most_ahead=settings.sender_ahead,
            journal=Journal.create(
                settings.data_dir / FOLDER,
                ledger.me,
                NOTES_PER_MESSAGE_AHEAD * settings.sender_ahead,
            ),
        )

    async def look(self, scope: Scope) -> None:
        """Put right what dead senders of this machine left."""
        await inherit(scope, self._settings.data_dir)

    @property
    def is_away(self) -> bool:
        """Say whether the provider has failed too often and is left alone for a while."""
        return self._client.is_cut_off(self._provider.url)

    async def prepare(self, tx: Tx, items: Sequence[Item]) -> None:
        """Load texts, and make links."""
        await self._texts.prepare(tx, items)

    def forget_old(self) -> None:
        """Drop what is held too long."""
        self._texts.forget_old()

    def write(self, item: Item, *, at: datetime) -> TextMessage:
        """Write the message."""
        return self._texts.write(item, at=at)

    async def deliver(self, message: TextMessage) -> str:
        """Send; return the provider's id of the message."""
        request = self._provider.request(message)
        try:
            answer = await self._client.request(
                request.method,
                request.url,
                content=request.content,
                headers=request.headers,
                idempotent=False,
            )
        except Unanswered as error:
            raise Lost(str(error), is_unknown=True) from error
        except Unavailable as error:
            raise Lost(str(error)) from error
        return self._provider.accepted(answer.status_code, answer.content)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def report_url(settings: MessagingSettings, provider: Provider) -> str:
    """Return where the provider reports; nothing where no secret was agreed on."""
    secret = settings.sms_webhook_secret.get_secret_value()
    base = settings.public_url.rstrip("/")
    return f"{base}/w/sms/{provider.name}/{secret}/reports" if secret else ""


async def send_texts(service: Service) -> None:
    """Send text messages as long as the service runs."""
    settings = service.settings
    if not isinstance(settings, MessagingSettings):
        message = "messaging-svc needs MessagingSettings"
        raise TypeError(message)
    provider = provider_of(settings)
    if provider is None:
        return
    await run_sender(service, settings, lambda: SmsCarrier(settings, provider))
