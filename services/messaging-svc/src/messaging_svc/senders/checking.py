"""What receivers will find when they ask whether a mail is really from our domain.

Source: RFC 7489 (3.1: alignment, 6.3: tags, 6.6.3: where the record stands), RFC 6376 (3.6.1), RFC 7208; 2026-11.
"""

import asyncio
import base64
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from messaging_svc.senders.clients import CannotAsk, Resolver
from messaging_svc.senders.schemas import Finding, Verdict
from messaging_svc.senders.spf import TooManyLookups, is_spf, permits
from messaging_svc.wire.dkim import Signer

_DMARC = "v=dmarc1"
_POLICIES = ("none", "quarantine", "reject")
_Check = Literal["spf", "dkim", "dmarc", "alignment"]


@dataclass(frozen=True, slots=True)
class Sending:
    """How we send: who the mails are from, and by which servers."""

    domain: str
    """Of the From header."""
    envelope_domain: str
    """Of the return path, whose SPF record counts."""
    signer: Signer | None
    hosts: Sequence[str]
    """The servers that take our mails; whether receivers see their addresses or others cannot be told."""


async def check(resolver: Resolver, sending: Sending) -> list[Finding]:
    """Return what receivers will find, one thing after the other."""
    dmarc, tags = await _dmarc(resolver, sending.domain)
    spf, dkim = await asyncio.gather(
        _known("spf", _spf, resolver, sending), _known("dkim", _dkim, resolver, sending)
    )
    return [spf, dkim, dmarc, _alignment(sending, spf, dkim, tags)]


async def _known(
    name: _Check,
    ask: Callable[[Resolver, Sending], Coroutine[Any, Any, Finding]],
    resolver: Resolver,
    sending: Sending,
) -> Finding:
    try:
        return await ask(resolver, sending)
    except CannotAsk as error:
        return _found(name, "unknown", "", f"No name server answered ({error}); ask again later")


def _found(name: _Check, verdict: Verdict, found: str, detail: str) -> Finding:
    return Finding(check=name, verdict=verdict, found=found[:500], detail=detail)


async def _spf(resolver: Resolver, sending: Sending) -> Finding:
    domain = sending.envelope_domain
    records = [one for one in await resolver.texts(domain) if is_spf(one)]
    if not records:
        return _found(
            "spf", "error", "", f"Publish a TXT record at {domain}, such as v=spf1 mx -all"
        )
    if len(records) > 1:
        told = " | ".join(records)
        return _found("spf", "error", told, f"{domain} has {len(records)} SPF records: keep one")
    (record,) = records
    if record.split()[-1].lower() in ("all", "+all"):
        return _found("spf", "error", record, "It permits everybody: end it with -all or ~all")
    for host in sending.hosts:
        addresses = await resolver.addresses(host)
        try:
            if not addresses or not all(
                [await permits(resolver, domain, one) for one in addresses]
            ):
                told = f"It does not name {host}; when receivers see that server's address, add it"
                return _found("spf", "warning", record, told)
        except TooManyLookups:
            return _found(
                "spf", "error", record, "It needs more than ten look-ups: flatten its includes"
            )
    return _found("spf", "good", record, "")


async def _dkim(resolver: Resolver, sending: Sending) -> Finding:
    signer = sending.signer
    if signer is None:
        told = (
            "We do not sign: the relay must, for this domain; whether it does cannot be told here"
        )
        return _found("dkim", "warning", "", told)
    name = f"{signer.selector}._domainkey.{signer.domain}"
    own = base64.b64encode(
        signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).decode()
    records = await resolver.texts(name)
    keys = ["".join(_tags(one).get("p", "").split()) for one in records]
    if own in keys:
        return _found("dkim", "good", f"{name}: our key", "")
    shown = " | ".join(records)
    how = f"Publish at {name}: v=DKIM1; k=rsa; p={own}"
    if not records:
        return _found("dkim", "error", "", f"There is no key. {how}")
    if not any(keys):
        return _found("dkim", "error", shown, f"The key is withdrawn. {how}")
    return _found("dkim", "error", shown, f"It is another key than ours. {how}")


async def _dmarc(resolver: Resolver, domain: str) -> tuple[Finding, dict[str, str]]:
    try:
        place, records = await _dmarc_records(resolver, domain)
    except CannotAsk as error:
        told = f"No name server answered ({error}); ask again later"
        return _found("dmarc", "unknown", "", told), {}
    if len(records) != 1:
        told = (
            f"Publish at _dmarc.{domain}: v=DMARC1; p=quarantine; rua=mailto:…"
            if not records
            else f"_dmarc.{place} has {len(records)} records, so receivers see none: keep one"
        )
        return _found("dmarc", "error", " | ".join(records), told), {}
    tags = _tags(records[0])
    policy = tags.get("p", "").lower()
    if place != domain:
        policy = tags.get("sp", policy).lower()
    if policy not in _POLICIES:
        return _found("dmarc", "error", records[0], "p must be none, quarantine or reject"), tags
    if policy == "none":
        told = "It asks for nothing: with p=quarantine forged mails stay away from people"
        return _found("dmarc", "warning", records[0], told), tags
    return _found("dmarc", "good", records[0], ""), tags


async def _dmarc_records(resolver: Resolver, domain: str) -> tuple[str, list[str]]:
    """Return the records of the domain, or of the nearest domain above it that has one."""
    place = domain
    while place.count("."):
        records = [
            one
            for one in await resolver.texts(f"_dmarc.{place}")
            if one.lower().replace(" ", "").startswith(_DMARC)
        ]
        if records:
            return place, records
        place = place.partition(".")[2]
    return domain, []


def _tags(record: str) -> dict[str, str]:
    parts = (one.partition("=") for one in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in parts if name.strip()}


def _alignment(sending: Sending, spf: Finding, dkim: Finding, tags: dict[str, str]) -> Finding:
    by_dkim = (
        dkim.verdict == "good"
        and sending.signer is not None
        and _is_aligned(sending.domain, sending.signer.domain, tags.get("adkim", "r"))
    )
    by_spf = spf.verdict in ("good", "warning") and _is_aligned(
        sending.domain, sending.envelope_domain, tags.get("aspf", "r")
    )
    told = f"From {sending.domain}, return path {sending.envelope_domain}"
    if sending.signer is not None:
        told += f", DKIM d={sending.signer.domain}"
    if by_dkim:
        return _found("alignment", "good", told, "")
    if "unknown" in (spf.verdict, dkim.verdict):
        return _found("alignment", "unknown", told, "Nothing can be told before the DNS answers")
    if by_spf or dkim.verdict == "warning":
        why = "Without a DKIM signature of our domain a mail that is forwarded fails DMARC"
        return _found("alignment", "warning", told, why)
    why = "Neither the signature nor the return path belongs to the domain of From: receivers will refuse such mails"
    return _found("alignment", "error", told, why)


def _is_aligned(one: str, other: str, mode: str) -> bool:
    """Compare as DMARC does; `r` lets a domain and one below it pass, `s` nothing but the same."""
    one, other = one.lower(), other.lower()
    if one == other:
        return True
    return mode.lower() != "s" and (one.endswith(f".{other}") or other.endswith(f".{one}"))
