"""A newsletter that is asked for twice over, and a file that is given for an address and never for a consent."""

import re

from stories.steps import mails_by

GUIDE = b"%PDF-1.7 guide"
FORM = {
    "key": "guide", "source": "Nettsiden", "titles": {"nb": "Lysguiden"}, "default_language": "nb",
    "consent": {"nb": {"version": "3", "text": "Ja, send meg nyhetsbrev om lys."}},
    "download": {"titles": {"nb": "Lysguiden"}, "after": "confirmation", "days": 3},
}  # fmt: skip
READERS = {
    "name": "Lesere",
    "condition": {"op": "permission", "channel": "email", "purpose": "newsletter"},
    "announces": "everything",
}
ISSUE = "Dette er nyhetsbrevet."


def path_in(mail, prefix):
    """Return the path of the first link that begins so."""
    found = re.search(rf"https?://[^\s\"'<>]*?({prefix}[^\s\"'<>]+)", mail)
    assert found, mail
    return found[1]


async def test_who_confirms_gets_the_file_and_only_who_agreed_gets_the_letter_until_the_no(house):
    form = await house.post("/v1/forms", FORM)
    await house.send(
        "PUT", f"/v1/forms/{form['id']}/download?file_name=lysguide.pdf", content=GUIDE,
        headers={"Content-Type": "application/pdf"},
    )  # fmt: skip
    readers = await house.post("/v1/segments", READERS)
    mails = await mails_by(house, "nyhetsbrevet")
    fill = {"readers": readers["id"], "issue": mails["nyhetsbrevet"]}
    made = await house.post("/v1/programmes/ready-made/newsletter", {"fill": fill})
    programme = f"/v1/programmes/{made['id']}"
    await house.post(f"{programme}/publish")

    async def ask(name, *, consent):
        lead = {
            "full_name": f"{name} Nordmann",
            "email": f"{name}@kunde.example".lower(),
            "consent": consent,
        }
        await house.browse("POST", "/f/guide", json=lead)
        await house.rest()
        return await house.mail_to(lead["email"], "/p/confirm/")

    async def confirm(mail):
        done = await house.browse("POST", path_in(mail, "/p/confirm/"))
        await house.rest()
        return re.search(r'href="(/p/download/[^"]+)"', done.text)[1]

    def issues(name):
        return [mail for mail in house.mails_to(f"{name}@kunde.example") if ISSUE in mail]

    # Kari wants both, Ola the file alone; Eva has typed somebody else's address, who never confirms.
    asked = await ask("Kari", consent=True), await ask("Ola", consent=False)
    await ask("Eva", consent=True)
    before = await house.browse("GET", path_in(asked[0], "/p/confirm/"))
    links = [await confirm(mail) for mail in asked]
    files = [(await house.browse("GET", link)).content for link in links]
    await house.live(days=4)
    late = await house.knock(links[0])
    await house.live(days=176)

    found = (await house.get("/v1/contacts", email="kari@kunde.example"))["items"]
    kari = found[0]["id"]
    proof = await house.get(
        f"/v1/contacts/{kari}/permissions/proof", channel="email", purpose="newsletter"
    )
    half_year = len(issues("kari"))
    out = path_in(issues("kari")[-1], "/u/")
    await house.browse("GET", out)
    looked_at = await house.get(f"/v1/segments/{readers['id']}/members")
    await house.browse("POST", out)
    await house.live(days=60)
    [run] = (await house.get(f"{programme}/runs"))["items"]

    assert "/p/download/" not in before.text
    assert ([GUIDE, GUIDE], 404) == (files, late.status_code)
    # One at once, the next after four weeks on a Tuesday, and so on.
    assert 7 == half_year == len(issues("kari"))
    assert ([], []) == (issues("ola"), issues("eva"))
    assert [kari] == [one["person_id"] for one in looked_at["items"]]  # to look is no answer
    assert (kari, "ended", "no_reader") == (run["person_id"], run["state"], run["outcome"])
    assert "Ja, send meg nyhetsbrev om lys." in str(proof)
