"""Larkfield, a company that does not exist: tills, card terminals and online booking for shops.

Plain data. Every address ends in `.example`, which no mail ever leaves for (RFC 2606).
"""

import random
import unicodedata
from typing import NamedTuple

COMPANY = "Larkfield"
DOMAIN = "larkfield.example"
PASSWORD = "voc-demo-2026"  # noqa: S105  printed by `make run`, known to everyone
CUSTOMERS = 300

PRODUCTS = ("Till app", "Card terminal", "Online booking")
TOUCHPOINTS = ("Billing", "Delivery", "Installation")


class Colleague(NamedTuple):
    """One log-in. `role` is one of the six roles, `team` is empty for those above the teams."""

    email: str
    name: str
    role: str
    team: str = ""


class Account(NamedTuple):
    """`revenue` is in euros a year, `renewal_month` 1-12, `owner` an e-mail or empty."""

    key: str
    name: str
    segment: str
    region: str
    revenue: int
    renewal_month: int
    owner: str
    language: str
    time_zone: str
    product: str


class Customer(NamedTuple):
    """A person at an account. `email` is empty for the few whom no mail can reach."""

    external_id: str
    name: str
    email: str
    account: str
    language: str
    time_zone: str
    key_contact: bool
    phone: str


ROBIN, MIRA, JONAS, TESSA, IDRIS, CARLA, PRIYA, ANSEL = (
    f"{first}@{DOMAIN}"
    for first in ("robin", "mira", "jonas", "tessa", "idris", "carla", "priya", "ansel")
)

STAFF = (
    Colleague(ROBIN, "Robin Adler", "administrator"),
    Colleague(MIRA, "Mira Castell", "program_manager"),
    Colleague(JONAS, "Jonas Wray", "team_lead", "North"),
    Colleague(TESSA, "Tessa Holm", "account_manager", "North"),
    Colleague(IDRIS, "Idris Okoye", "account_manager", "North"),
    Colleague(CARLA, "Carla Vento", "account_manager", "South"),
    Colleague(PRIYA, "Priya Nandan", "product_team"),
    Colleague(ANSEL, "Ansel Brook", "auditor"),
)

LONDON, DUBLIN = ("UK & Ireland", "en", "Europe/London"), ("UK & Ireland", "en", "Europe/Dublin")
BERLIN, VIENNA = ("DACH", "de", "Europe/Berlin"), ("DACH", "de", "Europe/Vienna")
ZURICH = ("DACH", "de", "Europe/Zurich")
PARIS, BRUSSELS = (
    ("France & Benelux", "fr", "Europe/Paris"),
    ("France & Benelux", "fr", "Europe/Brussels"),
)
AMSTERDAM = ("France & Benelux", "en", "Europe/Amsterdam")
MADRID = ("Iberia", "es", "Europe/Madrid")
LISBON = ("Iberia", "en", "Europe/Lisbon")
NEW_YORK, CHICAGO = (
    ("North America", "en", "America/New_York"),
    ("North America", "en", "America/Chicago"),
)
TORONTO = ("North America", "en", "America/Toronto")

TILL, TERMINAL, BOOKING = PRODUCTS
BIG, MIDDLE, SMALL = "Enterprise", "Mid-market", "Small business"
PEOPLE = {BIG: (14, 19), MIDDLE: (7, 11), SMALL: (2, 5)}

# Name, segment, place, thousand euros a year, renewal month, owner, main product.
_ACCOUNTS = (
    ("Harbour & Vine Hotels", BIG, LONDON, 412, 3, TESSA, BOOKING),
    ("Brightwater Garden Centres", BIG, LONDON, 388, 9, IDRIS, TILL),
    ("Feinkost Adlerhof", BIG, BERLIN, 367, 1, CARLA, TILL),
    ("Boulangeries Petit Matin", BIG, PARIS, 342, 6, CARLA, TERMINAL),
    ("Northgate Cinemas", BIG, TORONTO, 298, 11, TESSA, TERMINAL),
    ("Cedar & Salt Restaurants", BIG, NEW_YORK, 455, 5, IDRIS, TILL),
    ("Quayside Clinics", MIDDLE, DUBLIN, 96, 2, TESSA, BOOKING),
    ("Pedal & Post Bikes", MIDDLE, LONDON, 74, 8, IDRIS, TILL),
    ("Mulberry Lane Pharmacies", MIDDLE, LONDON, 118, 12, TESSA, TERMINAL),
    ("Foxglove Spas", MIDDLE, LONDON, 83, 4, JONAS, BOOKING),
    ("Sternwald Sport", MIDDLE, BERLIN, 91, 10, CARLA, TERMINAL),
    ("Kaffeerei Donaublick", MIDDLE, VIENNA, 66, 7, CARLA, TILL),
    ("Bergquell Apotheken", MIDDLE, ZURICH, 124, 3, CARLA, TERMINAL),
    ("Librairies du Canal", MIDDLE, PARIS, 58, 9, CARLA, TILL),
    ("Maison Fleurie", MIDDLE, BRUSSELS, 62, 5, CARLA, TERMINAL),
    ("Fietswinkel De Brug", MIDDLE, AMSTERDAM, 71, 1, IDRIS, TILL),
    ("Talleres Mirasol", MIDDLE, MADRID, 69, 11, CARLA, BOOKING),
    ("Mercado Azul", MIDDLE, LISBON, 77, 6, IDRIS, TILL),
    ("Lakeshore Veterinary Group", MIDDLE, CHICAGO, 105, 2, TESSA, BOOKING),
    ("Tin Roof Taquerias", MIDDLE, NEW_YORK, 88, 8, IDRIS, TILL),
    ("Copper Kettle Tea Room", SMALL, LONDON, 7, 4, TESSA, TILL),
    ("Barber at Number Nine", SMALL, LONDON, 4, 10, TESSA, BOOKING),
    ("Old Mill Farm Shop", SMALL, LONDON, 11, 7, IDRIS, TERMINAL),
    ("Selkie Surf School", SMALL, DUBLIN, 6, 5, TESSA, BOOKING),
    ("Inkwell Stationers", SMALL, DUBLIN, 5, 12, IDRIS, TILL),
    ("Pottery on the Green", SMALL, LONDON, 3, 3, "", TERMINAL),
    ("Zweirad Lindner & Co", SMALL, BERLIN, 9, 6, CARLA, TILL),
    ("Salon Haarscharf", SMALL, BERLIN, 5, 9, CARLA, BOOKING),
    ("Backstube Morgenrot", SMALL, VIENNA, 8, 2, CARLA, TILL),
    ("Blumen am Markt", SMALL, ZURICH, 6, 11, CARLA, TERMINAL),
    ("Fromagerie du Pont", SMALL, PARIS, 8, 1, CARLA, TERMINAL),
    ("Atelier Coiffure Lumi", SMALL, PARIS, 4, 8, CARLA, BOOKING),
    ("Chocolaterie Brune", SMALL, BRUSSELS, 10, 10, CARLA, TILL),
    ("Bar La Esquina", SMALL, MADRID, 7, 4, CARLA, TILL),
    ("Peluquería Marisol", SMALL, MADRID, 3, 7, CARLA, BOOKING),
    ("Surf Tarifa Alquiler", SMALL, MADRID, 6, 12, "", BOOKING),
    ("Prairie Dog Groomers", SMALL, CHICAGO, 5, 5, IDRIS, BOOKING),
    ("Maple Street Records", SMALL, TORONTO, 4, 9, TESSA, TERMINAL),
    ("Blue Heron Kayaks", SMALL, TORONTO, 7, 3, TESSA, BOOKING),
    ("Third Rail Coffee Bar", SMALL, NEW_YORK, 9, 6, IDRIS, TILL),
)

_FIRST = {
    "en": "Amelia Bola Callum Chidi Deepak Eleanor Fatima Grace Hamza Imogen Jamal Keira Liam Mei "
    "Nadia Oscar Padraig Rosa Samir Tomasz Uma Vikram Wanda Xiu Yusuf Zoe Marcus Ngozi Ruth Stefan",
    "de": "Anke Bastian Cem Dörte Elif Florian Gesine Holger Ida Jürgen Katrin Lukas Miriam Nils "
    "Olga Paul Renate Sabine Thilo Ulrike Volker Wiebke Yasemin Zdenka",
    "fr": "Aïcha Baptiste Camille Didier Élodie Fabrice Gaëlle Hugo Inès Julien Karim Lucie "
    "Mathieu Noémie Olivier Perrine Quentin Rachida Sylvain Thérèse Yann Zélie",
    "es": "Alba Bruno Carmen Diego Elena Fermín Gloria Héctor Irene Javier Lucía Marcos Nuria "
    "Óscar Pilar Raúl Sofía Teo Úrsula Vicente Ximena Yolanda",
}
_LAST = {
    "en": "Abara Ashdown Begum Birch Chowdhury Corrigan Dunmore Eze Fairley Gallowhill Hargrave "
    "Iqbal Jessop Kowalska Lindqvist Marlowe Nakata Oduya Pemberley Quill Rowntree Sandhu "
    "Tennick Usman Vance Whitlock Xu Yarrow Zielinska",
    "de": "Ahrend Brinkhoff Celik Dornbach Eibl Fuchsloch Grabner Hollweg Imhof Jessen Kaltwasser "
    "Lobner Moosbrugger Nistler Oberreit Pfaffen Quast Riedl Steinhäuser Tannert Uhlig "
    "Yildiz Zumbach",
    "fr": "Arnoult Benhaddou Chastel Delorme Estève Fauchier Giraudel Haddad Imbert Jolivet "
    "Kerviel Lavergne Marchandeau Noiret Oudin Pasquier Quéré Roussel Sabatier Thibaudet Vasseur",
    "es": "Alcázar Barrera Cifuentes Dorado Escribano Fuertes Galdón Herrador Ibarra Jurado "
    "Lozoya Montalbán Nogales Olmedo Peñalver Quiroga Robledo Santacruz Tejedor Urrutia Valdés",
}


def _slug(text: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(c if c.isalnum() else " " for c in ascii_text.lower()).strip().replace("  ", " ")


def domain(account: Account) -> str:
    return _slug(account.name).replace(" ", "-").replace("--", "-") + ".example"


ACCOUNTS = tuple(
    Account(
        f"A-{n:03}", name, segment, region, thousands * 1000, month, owner, language, zone, product
    )
    for n, (name, segment, (region, language, zone), thousands, month, owner, product) in enumerate(
        _ACCOUNTS, start=1
    )
)


def _head_counts(rng: random.Random) -> list[int]:
    """How many people stand at each account; they add up to CUSTOMERS."""
    counts = [rng.randint(*PEOPLE[account.segment]) for account in ACCOUNTS]
    while (difference := CUSTOMERS - sum(counts)) != 0:
        counts[rng.randrange(len(counts))] += 1 if difference > 0 else -1
        counts = [max(count, 2) for count in counts]
    return counts


def _names(rng: random.Random, language: str, count: int) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names[f"{rng.choice(_FIRST[language].split())} {rng.choice(_LAST[language].split())}"] = (
            None
        )
    return list(names)


# Numbers that regulators keep free for fiction (Ofcom, NANPA, Bundesnetzagentur, Arcep).
_PHONES = {
    "Europe/London": "+44 7700 900{:03}",
    "America": "+1 212 555 01{:02}",
    "de": "+49 30 23125 {:03}",
    "fr": "+33 1 99 00 {:02} {:02}",
}


def _phone(account: Account, number: int) -> str:
    """Empty where no fictional numbers are set aside."""
    for key in (account.time_zone, account.time_zone.partition("/")[0], account.language):
        if key in _PHONES:
            parts = (number % 100, number // 100) if key in ("fr", "America") else (number,)
            return _PHONES[key].format(*parts)
    return ""


def customers(seed: int = 7) -> list[Customer]:
    """The 300 people who buy from Larkfield, the same ones for the same seed."""
    rng = random.Random(seed)
    people: list[Customer] = []
    for account, count in zip(ACCOUNTS, _head_counts(rng), strict=True):
        for position, name in enumerate(_names(rng, account.language, count)):
            number = len(people) + 1
            address = f"{_slug(name).replace(' ', '.')}@{domain(account)}"
            people.append(
                Customer(
                    f"C-{number:04}",
                    name,
                    "" if number % 43 == 0 else address,
                    account.key,
                    account.language,
                    account.time_zone,
                    position == 0 and account.segment != SMALL,
                    _phone(account, number),
                )
            )
    return people
