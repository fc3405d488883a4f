"""What the stories share."""

from email import message_from_string, policy

import httpx

from kantis_kit.testing.waiting import eventually


def texts_to(house, address):
    """Return what a person has read of the mails to an address."""
    return [words(mail["message"]) for mail in house.sink.messages if mail["rcpt"] == address]


def words(message):
    """Return what a person reads of a mail."""
    parsed = message_from_string(message, policy=policy.default)
    return "".join(
        part.get_content() for part in parsed.walk() if part.get_content_maintype() == "text"
    )


async def order(api, person_id, sku, *, number=1):
    """Let somebody order by telephone; the desk may not have heard of a new contact yet."""
    asked = {
        "person_id": person_id,
        "kind": "order",
        "way": "phone",
        "lines": [{"sku": sku}],
        "again": True,
    }

    async def is_taken():
        key = f"{person_id}-{number}-{sku}"
        answer = await api.send("POST", "/v1/responses", json=asked, key=key, allow=(404, 409))
        return answer.is_success

    await eventually(is_taken, message="the desk does not know the contact", within=60)


async def fill_in(house, path, filled):
    """Fill in a page as a browser does, which goes where it is sent on."""
    async with httpx.AsyncClient(
        base_url=house.running.url, follow_redirects=True, timeout=30, trust_env=False
    ) as browser:
        answer = await browser.post(path, data=filled)
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text[:500]}"
