"""The custom properties of the shop's events: what they hold, when they come, change their type and go.

Here: columns of one table in one dump. Not here: built-in columns (events.py).
"""

from collections.abc import Callable

import polars as pl

from heap_assets.sample.calendar import Dump
from heap_assets.sample.catalogue import PRICES_IN_CENTS, PRODUCT_COLUMNS
from heap_assets.sample.draws import at, bits, picked
from heap_assets.sample.origins import CURRENCIES

EVENT_TYPES = {
    "add_to_cart": "click",
    "app_open": "App Open",
    "banner_click": "click",
    "checkout_start": "submit",
    "newsletter_click": "click",
    "order_completed": "Order Completed",
    "product_search": "change",
    "product_view": "Product View",
    "sale_page_view": "view page",
    "sign_up": "submit",
    "wishlist_add": "click",
}
"""What Heap writes into ``type``: the kind of an autocaptured event, the name of a custom one."""

_SIZES = pl.Series(["XS", "S", "M", "L", "XL", "39", "41", "43"])
_LISTS = pl.Series(["category", "search", "recommended", None])
_PAYMENTS = pl.Series(["card", "card", "paypal", "invoice"])
_COUPONS = pl.Series(["SPRING10", "WELCOME5", *[None] * 14], dtype=pl.String)
_METHODS = pl.Series(["email", "email", "google", "apple"])
_TERMS = pl.Series(["tent", "rain jacket", "boots", "camp stove", "Küche", "daypack 20l"])
_BANNERS = pl.Series(["summer_sale", "free_shipping"])
_POSITIONS = pl.Series(["footer", "header", "popup"])
_VARIANTS = pl.Series(["control", "new_gallery"])
_CHANCE = pl.col("chance")
_CENTS = 100
_NO_LONGER, _AT_FIRST = 2, 7  # tenths of the newsletter clicks: the two definitions overlap


def properties(table: str, dump: Dump) -> list[pl.Expr]:
    """Return the custom properties of a table as one dump delivers them."""
    of_table = _PROPERTIES.get(table)
    return [] if of_table is None else [value.alias(name) for name, value in of_table(dump).items()]


def selected(rows: pl.LazyFrame, table: str, dump: Dump) -> pl.LazyFrame:
    """Return the rows that the definition of the event covers when the dump is taken."""
    if table != "newsletter_click":
        return rows
    tenth = bits(_CHANCE, 40, 10)
    return rows.filter(tenth >= _NO_LONGER if dump.redefined else tenth < _AT_FIRST)


def _price() -> pl.Expr:
    return at(PRICES_IN_CENTS, pl.col("shown"))


def _total() -> pl.Expr:
    return _price() * (1 + bits(_CHANCE, 12, 3)).cast(pl.Int64)


def _currency() -> pl.Expr:
    return at(CURRENCIES, pl.col("place"))


def _product(*names: str) -> dict[str, pl.Expr]:
    return {name: at(PRODUCT_COLUMNS[name], pl.col("shown")) for name in names}


def _count(shift: int, below: int) -> pl.Expr:
    return (1 + bits(_CHANCE, shift, below)).cast(pl.Int64)


def _pageview(dump: Dump) -> dict[str, pl.Expr]:
    return {"experiment": picked(_VARIANTS, pl.col("address"))} if dump.grown else {}


def _product_view(dump: Dump) -> dict[str, pl.Expr]:
    sizes = picked(_SIZES, bits(_CHANCE, 12, 8)) if dump.drifted else (38 + bits(_CHANCE, 12, 8)).cast(pl.Int64)
    columns = _product("product_id", "product_name", "category") | {"price": _price() / _CENTS, "variant": sizes}
    return columns if dump.archived else columns | {"list_name": picked(_LISTS, bits(_CHANCE, 16, 4))}


def _add_to_cart(_: Dump) -> dict[str, pl.Expr]:
    return {
        "target_text": pl.lit("Add to cart"),
        **_product("product_id"),
        "price": _price() / _CENTS,
        "quantity": _count(12, 3),
        "currency": _currency(),
    }


def _checkout_start(_: Dump) -> dict[str, pl.Expr]:
    return {
        "cart_value": _total() / _CENTS,
        "currency": _currency(),
        "items": _count(16, 4),
        "express": bits(_CHANCE, 20, 4) == 0,
    }


def _order_completed(dump: Dump) -> dict[str, pl.Expr]:
    # At first the shop sent whole amounts, later exact ones.
    amount = _total() / _CENTS if dump.drifted else _total() // _CENTS
    return {
        "order_number": pl.concat_str(pl.lit("S-"), pl.col("event").cast(pl.String)),
        "amount": amount,
        "currency": _currency(),
        "items": _count(16, 4),
        "coupon": picked(_COUPONS, bits(_CHANCE, 20, 16)),
        "payment_method": picked(_PAYMENTS, bits(_CHANCE, 24, 4)),
    }


def _newsletter_click(dump: Dump) -> dict[str, pl.Expr]:
    columns = {"href": pl.lit("https://shop.example.com/newsletter"), "target_text": pl.lit("Get news")}
    return columns | ({"link_position": picked(_POSITIONS, bits(_CHANCE, 12, 3))} if dump.redefined else {})


_PROPERTIES: dict[str, Callable[[Dump], dict[str, pl.Expr]]] = {
    "pageviews": _pageview,
    "product_view": _product_view,
    "add_to_cart": _add_to_cart,
    "checkout_start": _checkout_start,
    "order_completed": _order_completed,
    "newsletter_click": _newsletter_click,
    "sign_up": lambda _: {"method": picked(_METHODS, bits(_CHANCE, 12, 4))},
    "wishlist_add": lambda _: _product("product_id", "category"),
    "banner_click": lambda _: {"banner": picked(_BANNERS, bits(_CHANCE, 12, 2))},
    "product_search": lambda _: {
        "search_term": picked(_TERMS, bits(_CHANCE, 12, 6)),
        "results": bits(_CHANCE, 16, 40).cast(pl.Int64),
    },
    "app_open": lambda _: {"cold_start": bits(_CHANCE, 12, 3) == 0, "push_enabled": bits(_CHANCE, 16, 2) == 0},
}
