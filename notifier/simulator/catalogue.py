"""Invented products and buyers, and the contents of each order. No person here is real.

The buyers are canaries: their names, streets and addresses occur nowhere else, so a test can prove
that none of them leaks. Telephone numbers are from the range reserved for drama (Ofcom, +44 7700
900xxx), mail addresses at example.com (RFC 2606).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random


@dataclass(frozen=True, slots=True)
class Product:
    """Something a seller sells. `price` has up to two decimals."""

    sku: str
    article_id: int
    title: str
    price: int | float


@dataclass(frozen=True, slots=True)
class Buyer:
    """An invented buyer."""

    customer_id: int
    name: str
    phone: str
    email: str
    street: str
    city: str
    zip: str
    company: str | None = None


_LONG_TITLE = (
    "Zelo velik komplet za piknik z odejo, štirimi krožniki, štirimi kozarci, priborom, hladilno "
    "torbo, odpiračem, prtički, posodicami za začimbe, lesenim pladnjem, nepremočljivo podlogo, "
    "ročajem iz usnja in vrečko za shranjevanje – posebna poletna izdaja v češnjevi barvi"
)

TITLES: tuple[tuple[str, int | float], ...] = (
    ("Kuhalnik za vodo Šumica, 1,7 l, nerjaveče jeklo", 34.99),
    ("Otroški škornji Žabica, št. 28, zeleni", 21.9),
    ("Namizna svetilka »Čmrlj« LED, črna", 45),
    ("Odeja iz merino volne Češminka, 140 × 200 cm", 89.5),
    ("Vrtni škropilnik Rosica, 5 l", 17.49),
    ("Nahrbtnik Gozdovnik 25 l, moder", 59),
    ("Skleda za mešanje s pokrovom, 3-delni komplet", 24.99),
    ("Brezžične slušalke Škržat Mini", 39.9),
    ("Polnilnik USB-C 65 W, bel", 29),
    ("Sestavljanka Triglav v megli, 1000 kosov", 14.9),
    ("Moške pohodne hlače Šembilja, vel. XL", 64.95),
    ("Ležalnik za psa Kuža Žur, 80 cm", 42),
    ("Likalna deska Gladež, 120 × 38 cm", 38.5),
    ("Set kozarcev za vino Žlahtna kapljica, 6 kosov", 27.9),
    ("Električni čistilnik čevljev Šuštar", 119),
    ("Otroška kapa s cofom, živo rdeča", 9.99),
    ("Ročna kosilnica Košenica 38 cm", 149.9),
    ("Mlinček za kavo Črna ura, keramičen", 33.3),
    ("Komplet brisač Škrlat & Češnja, 6/1", 31.9),
    # Titles that break careless HTML, templates and spreadsheets.
    ('Nosilec za televizor 32"–55" <VESA 400×400>', 26.4),
    ("Čajnik O'Šipek, 0,8 l", 19),
    ("Vtičnica <b>pametna</b> {{ Wi-Fi }} 100 %", 12.95),
    ("=Kabel HDMI 2.1; 3 m, \u201e8K\u201c", 11),
    (_LONG_TITLE, 74.99),
)

PRODUCTS = tuple(
    Product(
        # Leading zeros and a slash: a seller's number is a text.
        f"{number:06d}" if number % 3 else f"ŠK-{number}/A",
        100_094_000_000 + number,
        *title_price,
    )
    for number, title_price in enumerate(TITLES, start=10_451)
)

_NAMES = (
    ("Zofka Kanarčkova", "Neobstoječa ulica 7", "Izmišljija", "0007"),
    ("Bratko Nikdarnič", "Prazna pot 13 b", "Nikogaršnje", "0013"),
    ("Živka Pravljičar", "Trg treh zmajev 3", "Deveta vas", "0009"),
    ("Štefan Namišljeni", "Cesta v oblake 101", "Megleni Dol", "0101"),
    ("Čarna Nepoznič", "Za deveto goro 9", "Nikogaršnje", "0013"),
    ("Gašper Brezimen", "Na koncu sveta 1", "Izmišljija", "0007"),
    ("Ivanka Ničelnik", "Ničta ulica 0", "Deveta vas", "0009"),
    ("Žan Preizkusnik", "Poskusna steza 42", "Megleni Dol", "0101"),
)

BUYERS = tuple(
    Buyer(
        customer_id=2_000_900_100 + number,
        name=name,
        phone=f"+447700900{number:03d}",
        email=f"kupec-{number}@example.com",
        street=street,
        city=city,
        zip=code,
        company="Nevidna družba d.o.o." if number % 4 == 3 else None,
    )
    for number, (name, street, city, code) in enumerate(_NAMES, start=100)
)

CANARIES: tuple[str, ...] = tuple(
    word
    for buyer in BUYERS
    for word in (
        buyer.name,
        buyer.phone,
        buyer.email,
        buyer.street,
        buyer.city,
        str(buyer.customer_id),
        *filter(None, [buyer.company]),
    )
)
"""Words that must never occur outside this simulator's answers."""

CURRENCY = "EUR"
COUNTRY = "SI"
COD_FEE = 1.5


@dataclass(frozen=True, slots=True)
class OrderedItem:
    """One item of an order: a product and how many of it."""

    product: Product
    quantity: int


@dataclass(frozen=True, slots=True)
class Contents:
    """Buyer, items and parcels of an order. Amounts are in `CURRENCY`."""

    buyer: Buyer
    items: tuple[OrderedItem, ...]
    parcels: tuple[str, ...]
    """Tracking numbers, one per parcel and at least one."""
    external_id: str | None
    """The seller's own number of the order."""
    branch_id: int | None
    """The buyer's pick-up point."""
    prepaid: bool
    confirmed: bool
    delivery_price: int | float
    discount: int | float

    @property
    def cod(self) -> int | float:
        """Amount the carrier collects from the buyer; 0 for a prepaid order."""
        if self.prepaid:
            return 0
        goods: float = sum(item.product.price * item.quantity for item in self.items)
        return round(goods + self.delivery_price + COD_FEE - self.discount, 2)


@lru_cache(maxsize=4096)
def contents(seed: int, order_id: int, *, at_pickup_point: bool) -> Contents:
    """Draw the contents of an order; an order to a pick-up point is always one parcel."""
    dice = Random(f"contents/{seed}/{order_id}")
    return Contents(
        buyer=dice.choice(BUYERS),
        items=_items(dice),
        parcels=_parcels(dice, most=1 if at_pickup_point else 3),
        external_id=f"N-{order_id // 100 % 1_000_000}" if dice.random() < 0.7 else None,
        branch_id=dice.randint(9_000, 9_400) if at_pickup_point else None,
        prepaid=dice.random() < 0.6,
        confirmed=dice.random() < 0.95,
        delivery_price=dice.choice((0, 2.99, 3.9, 5)),
        discount=dice.choice((0, 0, 0, 0, 2.5, 5)),
    )


def _items(dice: Random) -> tuple[OrderedItem, ...]:
    # Each product occurs once: the official client indexes items by the seller's number.
    products = dice.sample(PRODUCTS, dice.choice((1, 1, 1, 2, 2, 3, 4)))
    return tuple(OrderedItem(product, dice.choice((1, 1, 1, 1, 2, 3))) for product in products)


def _parcels(dice: Random, *, most: int) -> tuple[str, ...]:
    """Draw tracking numbers, consecutive as a carrier assigns them."""
    count = most if dice.random() < 0.15 else 1
    first = dice.randrange(10**10)
    return tuple(f"SI{(first + number) % 10**11:011d}" for number in range(count))
