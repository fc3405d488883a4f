"""The words of the page, in five languages."""

from kantis_contracts.values import Language

GROUPS = {
    "identifier": "addresses",
    "postal_address": "addresses",
    "reach_evidence": "addresses",
    "permission_ledger": "permissions",
    "permission_state": "permissions",
    "preference": "permissions",
    "order_fact": "orders",
    "invoice_fact": "orders",
    "payment_fact": "orders",
    "return_fact": "orders",
    "person_value": "orders",
    "message_fact": "messages",
    "engagement_fact": "messages",
    "response_fact": "messages",
    "interaction": "talks",
    "insight": "talks",
    "lead": "forms",
    "lead_answer": "forms",
    "confirmation": "forms",
    "page_view": "visits",
    "visitor_person": "visits",
    "person_change": "history",
    "lifecycle_change": "history",
    "merge": "history",
}
"""Under which heading a kind of row stands; what is not named here stands under the last one."""

_KEYS = (
    "title",
    "intro",
    "profile",
    "addresses",
    "permissions",
    "orders",
    "messages",
    "talks",
    "forms",
    "visits",
    "history",
    "other",
    "orders_service",
    "messaging_service",
    "campaign_service",
    "analytics_service",
    "waiting",
    "ask",
    "file",
)
ORDER = _KEYS[3:12]
"""The headings in the order in which they stand."""
_WORDS = {
    Language.NB: "Det vi vet om deg|Alt som kontaktregisteret har lagret om deg.|Om deg|Adresser|Samtykker og reservasjoner|Kjøp og betalinger|Meldinger|Samtaler og ønsker|Skjemaer|Besøk på nettstedet|Endringer|Annet|Bestillingssystemet|Meldingssystemet|Kampanjesystemet|Statistikken|Ikke alle systemer har svart ennå. Se igjen om et par minutter.|Hent alt fra alle systemer|Last ned som fil",
    Language.SV: "Det vi vet om dig|Allt som kontaktregistret har sparat om dig.|Om dig|Adresser|Samtycken och spärrar|Köp och betalningar|Meddelanden|Samtal och önskemål|Formulär|Besök på webbplatsen|Ändringar|Övrigt|Ordersystemet|Meddelandesystemet|Kampanjsystemet|Statistiken|Alla system har inte svarat ännu. Titta igen om ett par minuter.|Hämta allt från alla system|Ladda ner som fil",
    Language.DA: "Det vi ved om dig|Alt hvad kontaktregistret har gemt om dig.|Om dig|Adresser|Samtykker og fravalg|Køb og betalinger|Beskeder|Samtaler og ønsker|Formularer|Besøg på webstedet|Ændringer|Andet|Ordresystemet|Beskedsystemet|Kampagnesystemet|Statistikken|Ikke alle systemer har svaret endnu. Se igen om et par minutter.|Hent alt fra alle systemer|Hent som fil",
    Language.FI: "Mitä tiedämme sinusta|Kaikki, mitä yhteystietorekisteriin on tallennettu sinusta.|Tietosi|Osoitteet|Suostumukset ja kiellot|Ostot ja maksut|Viestit|Keskustelut ja toiveet|Lomakkeet|Käynnit sivustolla|Muutokset|Muut|Tilausjärjestelmä|Viestijärjestelmä|Kampanjajärjestelmä|Tilastot|Kaikki järjestelmät eivät ole vielä vastanneet. Katso uudelleen muutaman minuutin kuluttua.|Hae kaikki tiedot kaikista järjestelmistä|Lataa tiedostona",
    Language.EN: "What we know about you|Everything that the register of contacts keeps about you.|About you|Addresses|Permissions and refusals|Purchases and payments|Messages|Conversations and wishes|Forms|Visits to the site|Changes|Other|The order system|The message system|The campaign system|The statistics|Not every system has answered yet. Look again in a few minutes.|Fetch everything from all systems|Download as a file",
}
TEXTS = {
    language: dict(zip(_KEYS, words.split("|"), strict=True)) for language, words in _WORDS.items()
}
