"""Signs people in to the console as they do it themselves."""

import re
from typing import Any

from playwright.async_api import expect
from reading import read

from kantis_kit.ids import new_id

PASSWORD = "four plain words here"


async def sign_in(visitor: Any, *, role: str = "administrator", language: str = "en") -> str:
    """Come by the one-time link that the command line has made."""
    email = f"{new_id().hex}@eksempel.test"
    link = visitor.house.run(
        "user", "add", email, "--name", "Kari", "--role", role, "--language", language
    ).strip()
    await visitor.page.goto(link)
    await read(visitor.page, language)
    await visitor.page.get_by_label(re.compile("Password|Passord|Lösenord|kode|Salasana")).fill(
        PASSWORD
    )
    await visitor.page.locator("main button").click()
    await expect(visitor.page.locator("h1")).to_be_visible()
    return email
