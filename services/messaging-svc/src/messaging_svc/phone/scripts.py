"""What a caller says: the script of the template's version, with the person's fields, the offer and the code."""

from typing import Any

from sqlalchemy import Row

from kantis_kit.tx import ReadTx
from messaging_svc.dispatch.letters import Item, Letters
from messaging_svc.dispatch.mime import Letterhead
from messaging_svc.links import LinkMaker
from messaging_svc.settings import MessagingSettings
from messaging_svc.templates.errors import CannotRender


class Scripts:
    """Writes scripts; holds the versions and cells of what is being written."""

    def __init__(self, settings: MessagingSettings) -> None:
        self._letters = Letters(
            Letterhead(settings.mail_from, settings.company), LinkMaker.from_settings(settings)
        )

    async def write(self, tx: ReadTx, row: Row[Any]) -> tuple[str, str, str]:
        """Return what to say, in which language, and why there is nothing to say.

        Somebody who has asked for a call has said what it is about: that is read instead.
        """
        if row.origin not in ("campaign", "step"):
            return str(row.facts.get("text") or ""), row.language, ""
        item = Item(
            id=row.message_id,
            fence=row.fence,
            claimed_until=row.held_until,
            attempts=row.attempts,
            origin=row.origin,
            is_marketing=row.is_marketing,
            purpose=row.purpose,
            person_id=row.person_id,
            source_id=row.source_id,
            response_code=row.response_code,
            template_version_id=row.template_version_id,
            builtin=row.builtin,
            facts=row.facts,
            rfc_message_id=row.rfc_message_id,
            email="",
            language=row.language,
            preferred_name=row.preferred_name,
        )
        await self._letters.prepare(tx, [item])
        try:
            language, script = self._letters.write_script(item)
        except CannotRender as error:
            return "", row.language, str(error)
        return script, language.value, ""
