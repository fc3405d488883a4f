"""What a launch would meet: asked before anything is planned."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from kantis_contracts.values import ADVERTISING, Channel, Language
from kantis_kit.tx import ReadTx
from messaging_svc.products.queries import blocks_of
from messaging_svc.templates import queries
from messaging_svc.templates.errors import CannotRender
from messaging_svc.templates.linting import Finding
from messaging_svc.templates.rendering import Compiled, Part
from messaging_svc.templates.schemas import CheckIn, CheckOut, FindingOut, Severity, VersionOut
from messaging_svc.templates.usecases import find_faults

_PARTS: Mapping[Channel, Part] = {
    Channel.EMAIL: "html",
    Channel.LETTER: "letter",
    Channel.PHONE: "script",
}
_OFFER = ("offer_name", "offer_price")


async def check(tx: ReadTx, version: VersionOut, compiled: Compiled, asked: CheckIn) -> CheckOut:
    """Return what the linter finds in a version, and what this launch would lack."""
    readers = await queries.count_readers(tx)
    if version.products:
        asked = asked.model_copy(update={"has_products": True})
    found = [
        *find_faults(version.languages, version.message_class),
        *_of_launch(version, compiled, asked, readers),
        *_of_products(version, await blocks_of(tx, version.products)),
    ]
    found.sort(key=lambda one: one.severity != Severity.ERROR)
    return CheckOut(
        is_ready=all(one.severity != Severity.ERROR for one in found),
        findings=[FindingOut.model_validate(one) for one in found],
        template_id=version.template_id,
        version_id=version.id,
        number=version.number,
    )


def _of_products(version: VersionOut, there: Collection[str]) -> Iterator[Finding]:
    for sku in version.products:
        if sku not in there:
            yield Finding(
                "product-not-for-sale", Severity.WARNING, None, "launch",
                f"{sku} cannot be bought now, the message is sent without it", "name another product",
            )  # fmt: skip


def _of_launch(
    version: VersionOut,
    compiled: Compiled,
    asked: CheckIn,
    readers: Mapping[str, tuple[int, int]],
) -> Iterator[Finding]:
    if asked.is_marketing and version.message_class not in ADVERTISING:
        yield Finding(
            "class-not-marketing", Severity.ERROR, None, "launch",
            f"the template is for {version.message_class} messages and offers no way to unsubscribe",
            "save a version whose message_class is marketing",
        )  # fmt: skip
    part = _PARTS.get(asked.channel)
    if part is None:
        return
    there = compiled.languages(part)
    if not there:
        word = "mail" if part == "html" else part
        yield Finding(
            f"no-{word}", Severity.ERROR, None, "launch", f"the template holds no {word}",
            f"write {part} in every language of the audience",
        )  # fmt: skip
        return
    wanted = asked.languages or [Language(name) for name in sorted(readers)]
    yield from _languages(compiled, part, wanted)
    for language in sorted(there):
        yield from _fields(compiled, language, asked, readers)


def _languages(compiled: Compiled, part: Part, wanted: Sequence[Language]) -> Iterator[Finding]:
    there = compiled.languages(part)
    for language in wanted:
        if language in there:
            continue
        try:
            instead = compiled.language_for(language, part)
        except CannotRender:
            continue
        yield Finding(
            "language-missing", Severity.WARNING, language, "launch",
            f"people of this language get it in {instead}", "write it in this language, too",
        )  # fmt: skip


def _fields(
    compiled: Compiled,
    language: Language,
    asked: CheckIn,
    readers: Mapping[str, tuple[int, int]],
) -> Iterator[Finding]:
    used = compiled.fields(language)
    lacking = [name for name in _OFFER if name in used and not asked.has_offer]
    lacking += ["products"] if "products" in used and not asked.has_products else []
    # What is recommended goes with what is offered or shown.
    has_any = asked.has_offer or asked.has_products
    lacking += ["recommendations"] if "recommendations" in used and not has_any else []
    lacking += ["fact"] if "fact" in used else []  # a launch has no moment of its own
    for name in lacking:
        yield Finding(
            "field-always-empty", Severity.WARNING, language, "launch",
            f"{name} is empty for everybody: the launch carries none",
            f"take it out, or put it behind {{% if {name} %}}",
        )  # fmt: skip
    people, named = readers.get(language, (0, 0))
    if "preferred_name" in used and named < people:
        yield Finding(
            "field-often-empty", Severity.WARNING, language, "launch",
            f"preferred_name is empty for {people - named} of {people} people",
            "write greeting() instead, or put it behind {% if preferred_name %}",
        )  # fmt: skip
