"""What is in an order: who bought what, in how many parcels. Drawn from the seed and the id."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

from notifier.simulator.catalogue import BUYERS, PRODUCTS, Buyer, Product

CURRENCY = "EUR"
COUNTRY = "SI"
COD_FEE = 1.5


@dataclass(frozen=True, slots=True)
class SimulatedLine:
    """One item of an order."""

    product: Product
    quantity: int


@dataclass(frozen=True, slots=True)
class Contents:
    """Who ordered what. Amounts are in `CURRENCY`."""

    buyer: Buyer
    lines: tuple[SimulatedLine, ...]
    parcels: tuple[str, ...]
    """Tracking number of each parcel, at least one."""
    external_id: str | None
    """The seller's own number of the order."""
    branch_id: int | None
    """The buyer's pick-up point."""
    prepaid: bool
    confirmed: bool
    delivery_price: int | float
    discount: int | float

    @property
    def goods(self) -> float:
        """Price of all items together."""
        return sum(line.product.price * line.quantity for line in self.lines)

    @property
    def cod(self) -> int | float:
        """What the carrier was to collect; 0 when the order was prepaid."""
        if self.prepaid:
            return 0
        return round(self.goods + self.delivery_price + COD_FEE - self.discount, 2)


@lru_cache(maxsize=4096)
def contents(seed: int, order_id: int, *, at_pickup_point: bool) -> Contents:
    """What is in an order; an order to a pick-up point is always one parcel."""
    dice = Random(f"contents/{seed}/{order_id}")
    return Contents(
        buyer=dice.choice(BUYERS),
        lines=_lines(dice),
        parcels=_parcels(dice, most=1 if at_pickup_point else 3),
        external_id=f"N-{order_id // 100 % 1_000_000}" if dice.random() < 0.7 else None,
        branch_id=dice.randint(9_000, 9_400) if at_pickup_point else None,
        prepaid=dice.random() < 0.6,
        confirmed=dice.random() < 0.95,
        delivery_price=dice.choice((0, 2.99, 3.9, 5)),
        discount=dice.choice((0, 0, 0, 0, 2.5, 5)),
    )


def _lines(dice: Random) -> tuple[SimulatedLine, ...]:
    """One to four different products: the official client keeps items by the seller's number."""
    products = dice.sample(PRODUCTS, dice.choice((1, 1, 1, 2, 2, 3, 4)))
    return tuple(SimulatedLine(product, dice.choice((1, 1, 1, 1, 2, 3))) for product in products)


def _parcels(dice: Random, *, most: int) -> tuple[str, ...]:
    """Tracking numbers, consecutive as a carrier gives them."""
    count = most if dice.random() < 0.15 else 1
    first = dice.randrange(10**10)
    return tuple(f"SI{(first + number) % 10**11:011d}" for number in range(count))
