"""A letter that nobody gets: for those who write it."""

from kantis_kit.tx import ReadTx
from messaging_svc.letters import queries
from messaging_svc.letters.schemas import PreviewIn
from messaging_svc.letters.sheets import Address, Sheet, return_code
from messaging_svc.letters.writing import Writer
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.errors import CannotRender, TemplateRefused
from messaging_svc.templates.imagined import sample_fields
from messaging_svc.templates.queries import get_reader, get_version
from messaging_svc.templates.rendering import Compiled

_CODE = "C0DE1234"


async def imagine(tx: ReadTx, asked: PreviewIn) -> Sheet:
    """Return what would be printed.

    Raises:
        TemplateNotFound: there is no such template or version.
        TemplateRefused: it holds no letter, or none can be made for this reader.
        PersonUnknown: we know no such person.
    """
    settings = tx.settings(MessagingSettings)
    _, stored = await get_version(tx, asked.template_id, asked.version)
    compiled = Compiled.from_json(stored)
    wanted, name = asked.language.value, asked.preferred_name
    address = Address("Kari Nordmann", "Storgata 1", "0155", "OSLO", asked.country)
    if asked.person_id:
        wanted, name = await get_reader(tx, asked.person_id)
        home = await queries.find_address(tx, asked.person_id)
        if home is not None:
            address = Address(home.name, home.street, home.postal_code, home.city, home.country)
    try:
        language = compiled.language_for(wanted, "letter")
        fields = sample_fields(
            compiled,
            language,
            preferred_name=name,
            offer_name=asked.offer_name,
            price_minor=asked.offer_price_minor,
            currency=asked.currency,
            company=settings.company,
        )
        url = f"{settings.public_url.rstrip('/')}/r/{_CODE}"
        letter = compiled.render_letter(language, fields | {"response_url": url})
    except CannotRender as error:
        raise TemplateRefused(f"There is nothing to show: {error}") from error
    sender = Writer(settings).sender
    return Sheet(
        position=1,
        address=address,
        language=language,
        letter=letter,
        response_code=_CODE,
        response_url=url,
        return_code=return_code(sender, address.country, 0, 1),
        is_marketing=True,
    )
