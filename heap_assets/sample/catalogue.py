"""What the shop sells and which pages it has.

Here: products, pages and app screens, each page for each product. Not here: who looks at them (stories.py, visits.py).
"""

from dataclasses import dataclass

import polars as pl

DOMAIN = "shop.example.com"

_CATEGORIES = {
    "shoes": ("Trail Runner", "City Sneaker", "Rain Boot", "Canvas Slip-on", "Hiking Boot", "Sandal"),
    "jackets": ("Wind Shell", "Down Jacket", "Fleece", "Raincoat", "Softshell", "Parka"),
    "bags": ("Daypack", "Tote", "Messenger Bag", "Duffel", "Hip Bag", "Travel Pack"),
    "tents": ("Solo Tent", "Family Tent", "Tarp", "Bivy", "Dome Tent", "Tunnel Tent"),
    "kitchen": ("Camp Stove", "Kettle", "Mess Kit", "Thermos", "Coffee Press", "Cooler"),
    "lights": ("Head Torch", "Lantern", "Bike Light", "Pocket Torch", "String Lights", "Solar Lamp"),
}
_COLOURS = ("Black", "Olive", "Sand", "Red")
_HIGHLIGHTS = 8  # of eight draws, so that a few products sell most


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the site, or a screen of the app; ``{slug}``, ``{category}``, ``{name}`` are the product's."""

    name: str
    path: str | None
    title: str
    query: str | None = None
    hash: str | None = None
    screen: str | None = None


PAGES = (
    Page("home", "/", "Outdoor gear | Shop"),
    Page("category", "/c/{category}", "{category} | Shop"),
    Page("product", "/products/{slug}", "{name} | Shop"),
    Page("sale", "/sale", "Summer sale | Shop", hash="#deals"),
    Page("search", "/search", "Search | Shop", query="?q={category}"),
    Page("cart", "/cart", "Cart | Shop"),
    Page("checkout", "/checkout", "Checkout | Shop"),
    Page("payment", "/checkout/payment", "Payment | Shop"),
    Page("confirmation", "/orders/confirmation", "Thank you | Shop"),
    Page("help", "/help/shipping", "Shipping and returns | Shop", hash="#returns"),
    Page("account", "/account", "Your account | Shop"),
    Page("sign_up", "/account/new", "Create an account | Shop"),
    Page("home_screen", None, "Home", screen="HomeViewController"),
    Page("category_screen", None, "{category}", screen="CategoryViewController"),
    Page("product_screen", None, "{name}", screen="ProductViewController"),
    Page("cart_screen", None, "Cart", screen="CartViewController"),
    Page("checkout_screen", None, "Checkout", screen="CheckoutViewController"),
    Page("confirmation_screen", None, "Thank you", screen="ConfirmationViewController"),
    Page("sign_up_screen", None, "Create an account", screen="SignUpViewController"),
)
PAGE_CODES = {page.name: code for code, page in enumerate(PAGES)}
NO_PAGE = len(PAGES)


@dataclass(frozen=True, slots=True)
class _Product:
    number: int
    category: str
    name: str

    @property
    def slug(self) -> str:
        return self.name.lower().replace(" ", "-")

    @property
    def price_in_cents(self) -> int:
        return (9 + self.number * 37 % 170) * 100 + 95


_PRODUCTS = tuple(
    _Product(number, category, f"{noun} {colour}")
    for number, (category, noun, colour) in enumerate(
        (category, noun, colour) for category, nouns in _CATEGORIES.items() for noun in nouns for colour in _COLOURS
    )
)
PRODUCTS = len(_PRODUCTS)
POPULAR_PRODUCTS = pl.Series(
    [number for number in range(PRODUCTS) for _ in range(_HIGHLIGHTS if number % 12 == 0 else 1)], dtype=pl.UInt64
)
"""Product numbers, the popular ones several times."""

PRODUCT_COLUMNS = {
    "product_id": pl.Series([f"P{product.number:04d}" for product in _PRODUCTS]),
    "product_name": pl.Series([product.name for product in _PRODUCTS]),
    "category": pl.Series([product.category for product in _PRODUCTS]),
}
PRICES_IN_CENTS = pl.Series([product.price_in_cents for product in _PRODUCTS], dtype=pl.Int64)


def _for_each_product(template: str | None) -> list[str | None]:
    if template is None:
        return [None] * PRODUCTS
    return [template.format(slug=item.slug, category=item.category, name=item.name) for item in _PRODUCTS]


def _page_texts(templates: list[str | None]) -> pl.Series:
    """Return the texts by ``page * PRODUCTS + product``; the place after the last page is null."""
    texts = [text for template in [*templates, None] for text in _for_each_product(template)]
    return pl.Series(texts, dtype=pl.String)


PAGE_COLUMNS = {
    "domain": _page_texts([page.path and DOMAIN for page in PAGES]),
    "path": _page_texts([page.path for page in PAGES]),
    "query": _page_texts([page.query for page in PAGES]),
    "hash": _page_texts([page.hash for page in PAGES]),
    "title": _page_texts([page.title for page in PAGES]),
    "view_controller": _page_texts([page.screen for page in PAGES]),
}
PAGE_URLS = _page_texts([page.path and f"https://{DOMAIN}{page.path}" for page in PAGES])
LANDING_HASHES = PAGE_COLUMNS["hash"]
