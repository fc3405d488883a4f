"""Names, streets and places of four countries, common ones, from which the register is drawn."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """What a country's people are made of."""

    code: str
    language: str
    share: int
    dialling: str
    mobile: tuple[str, ...]
    mobile_digits: int
    mail_domains: tuple[str, ...]
    given: tuple[str, ...]
    family: tuple[str, ...]
    streets: tuple[str, ...]
    places: tuple[tuple[str, str], ...]


_NO = Country(
    code="NO",
    language="nb",
    share=46,
    dialling="+47",
    mobile=("4", "9"),
    mobile_digits=8,
    mail_domains=("eksempel.test", "fjordpost.test", "nordnett.test"),
    given=(
        "Bjørn", "Åse", "Øyvind", "Kåre", "Solveig", "Ingrid", "Håkon", "Turid", "Lars", "Kari", "Anne", "Per",
        "Marit", "Jørgen", "Sigrid", "Trygve", "Gunnar", "Randi", "Eivind", "Silje", "Synnøve", "Magnus", "Frøydis",
        "Torbjørn", "Åshild", "Stig", "Patrick", "Ragnhild",
    ),
    family=(
        "Hansen", "Johansen", "Olsen", "Larsen", "Andersen", "Pedersen", "Nilsen", "Kristiansen", "Bråten", "Sørensen",
        "Ødegård", "Bakke", "Hagen", "Lunde", "Solberg", "Åsen", "Myhre", "Strøm", "Nygård", "Tveit", "Fjære", "Bø",
    ),
    streets=(
        "Storgata", "Kirkeveien", "Bjørkeveien", "Skolegata", "Øvre Strandvei", "Åsveien", "Furulia", "Sjøgata",
        "Møllergata", "Granåsen", "Fjellveien", "Lærkeveien",
    ),
    places=(
        ("0150", "Oslo"), ("0553", "Oslo"), ("5003", "Bergen"), ("5020", "Bergen"), ("7010", "Trondheim"),
        ("4005", "Stavanger"), ("9008", "Tromsø"), ("1430", "Ås"), ("2815", "Gjøvik"), ("3110", "Tønsberg"),
        ("6003", "Ålesund"), ("8006", "Bodø"), ("3901", "Porsgrunn"), ("1601", "Fredrikstad"),
    ),
)
_SE = Country(
    code="SE",
    language="sv",
    share=26,
    dialling="+46",
    mobile=("70", "72", "73", "76"),
    mobile_digits=9,
    mail_domains=("exempel.test", "björkpost.test", "malarnet.test"),
    given=(
        "Åsa", "Göran", "Märta", "Björn", "Lennart", "Gunilla", "Östen", "Karin", "Anders", "Elin", "Håkan", "Ingela",
        "Sven", "Maja", "Nils", "Linnéa", "Sören", "Agneta", "Jörgen", "Annika",
    ),
    family=(
        "Andersson", "Johansson", "Karlsson", "Nilsson", "Eriksson", "Larsson", "Sjöberg", "Lindström", "Åkesson",
        "Öberg", "Bergström", "Nyström", "Hägglund", "Sandström", "Ljungqvist", "Wåhlin", "Åström", "Björk",
    ),
    streets=(
        "Storgatan", "Björkvägen", "Kyrkogatan", "Ängsvägen", "Östra Hamngatan", "Åvägen", "Skolgatan", "Sjövägen",
        "Lövgatan", "Tallvägen",
    ),
    places=(
        ("111 22", "Stockholm"), ("411 05", "Göteborg"), ("211 20", "Malmö"), ("753 10", "Uppsala"),
        ("722 10", "Västerås"), ("702 10", "Örebro"), ("582 22", "Linköping"), ("903 26", "Umeå"),
        ("831 31", "Östersund"), ("972 38", "Luleå"),
    ),
)
_DK = Country(
    code="DK",
    language="da",
    share=16,
    dialling="+45",
    mobile=("20", "30", "40", "50", "60"),
    mobile_digits=8,
    mail_domains=("eksempel-dk.test", "øresund.test"),
    given=(
        "Søren", "Mette", "Jørgen", "Kirsten", "Bjarne", "Pernille", "Rasmus", "Gitte", "Mads", "Hanne", "Åge",
        "Dorthe", "Niels", "Lærke", "Kåre", "Bodil",
    ),
    family=(
        "Jensen", "Nielsen", "Hansen", "Sørensen", "Rasmussen", "Jørgensen", "Møller", "Kjær", "Nørgaard", "Østergaard",
        "Ågaard", "Bæk", "Skov", "Præst", "Krogh",
    ),
    streets=("Nørregade", "Skovvej", "Bøgevej", "Østerbrogade", "Åboulevarden", "Kirkestræde", "Møllevej", "Rosenvænget"),
    places=(
        ("1050", "København K"), ("2100", "København Ø"), ("8000", "Aarhus C"), ("5000", "Odense C"),
        ("9000", "Aalborg"), ("4600", "Køge"), ("6000", "Kolding"), ("3000", "Helsingør"), ("4700", "Næstved"),
    ),
)
_FI = Country(
    code="FI",
    language="fi",
    share=12,
    dialling="+358",
    mobile=("40", "45", "50"),
    mobile_digits=9,
    mail_domains=("esimerkki.test", "järviposti.test"),
    given=(
        "Päivi", "Jyrki", "Maija", "Väinö", "Anneli", "Seppo", "Kyllikki", "Jukka", "Tiina", "Heikki", "Sari", "Mika",
        "Eeva", "Yrjö", "Sirpa", "Aino",
    ),
    family=(
        "Korhonen", "Virtanen", "Mäkinen", "Nieminen", "Mäkelä", "Hämäläinen", "Laine", "Heikkinen", "Koskinen",
        "Järvinen", "Lehtonen", "Kärkkäinen", "Räsänen", "Pöyhönen", "Åkerblom",
    ),
    streets=("Mannerheimintie", "Hämeenkatu", "Koivutie", "Järvitie", "Mäntykuja", "Rantapolku", "Kirkkokatu", "Töölönkatu"),
    places=(
        ("00100", "Helsinki"), ("00250", "Helsinki"), ("33100", "Tampere"), ("20100", "Turku"), ("90100", "Oulu"),
        ("40100", "Jyväskylä"), ("15110", "Lahti"), ("70100", "Kuopio"), ("60100", "Seinäjoki"), ("13100", "Hämeenlinna"),
    ),
)

COUNTRIES = (_NO, _SE, _DK, _FI)
"""The countries with their shares of the register in percent."""
