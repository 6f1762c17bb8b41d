"""What happens during one visit: stories, each a row of steps, and how often each is told.

Here: pages and events in their order and their pace. Not here: whose visit it is and when (visits.py).
"""

from dataclasses import dataclass
from enum import IntEnum

import polars as pl

from heap_assets.sample.catalogue import NO_PAGE, PAGE_CODES
from heap_assets.sample.draws import weighted

_PAGE_MS = 36_000
_EVENT_MS = 6_000
_PAUSE_MS = 2_100_000
"""Longer than half an hour at a usual pace, shorter at a quick one."""
STEPS_PER_VISIT = 64
"""No story is longer."""


class Audience(IntEnum):
    """Who a story is about."""

    NEW = 0
    KNOWN = 1
    SIGNING_UP = 2
    APP = 3
    APP_SIGNING_UP = 4


# A word is a page and the events on it; "product" words show the next product.
_WORDS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "home": ("home", ()),
    "cat": ("category", ()),
    "prod": ("product", ("product_view",)),
    "sale": ("sale", ()),
    "search": ("search", ("product_search",)),
    "add": (None, ("add_to_cart",)),
    "cart": ("cart", ()),
    "chk": ("checkout", ("checkout_start",)),
    "pay": ("payment", ()),
    "done": ("confirmation", ("order_completed",)),
    "wish": (None, ("wishlist_add",)),
    "news": (None, ("newsletter_click",)),
    "banner": (None, ("banner_click",)),
    "help": ("help", ()),
    "account": ("account", ()),
    "signup": ("sign_up", ("sign_up",)),
    "open": ("home_screen", ("app_open",)),
    "a.cat": ("category_screen", ()),
    "a.prod": ("product_screen", ("product_view",)),
    "a.cart": ("cart_screen", ()),
    "a.chk": ("checkout_screen", ("checkout_start",)),
    "a.done": ("confirmation_screen", ("order_completed",)),
    "a.signup": ("sign_up_screen", ("sign_up",)),
}
_PAUSE = "pause"
# A labeled page: the same event in the table of pageviews and in its own.
_LABELED_PAGES = {"sale": "sale_page_view"}

# Weights: of new visitors, of known ones, of those who sign up, in the app, in the app signing up.
_STORIES: tuple[tuple[tuple[int, int, int, int, int], str], ...] = (
    ((26, 16, 0, 0, 0), "home"),
    ((16, 10, 0, 0, 0), "prod"),
    ((12, 12, 0, 0, 0), "home cat"),
    ((15, 20, 0, 0, 0), "home cat prod"),
    ((12, 18, 0, 0, 0), "prod prod cat prod"),
    ((8, 12, 0, 0, 0), "sale prod prod"),
    ((6, 8, 0, 0, 0), "home banner sale prod"),
    ((5, 12, 0, 0, 0), "home search prod prod wish"),
    ((4, 6, 0, 0, 0), "home news"),
    ((2, 8, 0, 0, 0), "home cat news prod help"),
    ((6, 12, 0, 0, 0), "home cat prod add cart"),
    ((4, 8, 0, 0, 0), "search prod add prod add cart"),
    ((3, 6, 0, 0, 0), "home cat prod pause prod cat prod"),
    ((3, 6, 0, 0, 0), "cat prod add cart chk"),
    ((2, 4, 0, 0, 0), "prod add cart chk pay"),
    ((2, 7, 0, 0, 0), "home cat prod add cart chk pay done"),
    ((1, 3, 0, 0, 0), "home search prod prod wish add cart chk pay done help"),
    ((1, 8, 0, 0, 0), "home account help"),
    ((1, 3, 0, 0, 0), "home cat prod prod cat prod sale prod add cart pause cart chk pay done account"),
    ((0, 1, 0, 0, 0), "account prod pause prod pause prod add add prod add cart chk pay done help"),
    ((0, 0, 9, 0, 0), "home signup account"),
    ((0, 0, 4, 0, 0), "prod add cart signup chk pay done"),
    ((0, 0, 5, 0, 0), "home cat prod signup account news"),
    ((0, 0, 0, 18, 0), "open"),
    ((0, 0, 0, 20, 0), "open a.cat a.prod"),
    ((0, 0, 0, 14, 0), "open a.cat a.prod a.prod a.prod wish"),
    ((0, 0, 0, 8, 0), "open a.prod add a.cart"),
    ((0, 0, 0, 4, 0), "open a.cat a.prod add a.cart a.chk"),
    ((0, 0, 0, 4, 0), "open a.cat a.prod add a.cart a.chk a.done"),
    ((0, 0, 0, 3, 0), "open a.prod pause a.cat a.prod add a.cart"),
    ((0, 0, 0, 0, 6), "open a.signup a.cat a.prod"),
    ((0, 0, 0, 0, 2), "open a.prod add a.cart a.signup a.chk a.done"),
)
STORIES_BY_AUDIENCE = tuple(weighted(weights[audience] for weights, _ in _STORIES) for audience in Audience)


@dataclass(frozen=True, slots=True)
class _Step:
    number: int
    offset: int
    page: int
    product: int
    previous_page: int
    previous_product: int
    tables: frozenset[str]


def _steps(words: list[str]) -> list[_Step]:
    steps: list[_Step] = []
    offset = 0
    product = 0
    page, previous = NO_PAGE, (NO_PAGE, 0)
    for word in words:
        if word == _PAUSE:
            offset += _PAUSE_MS
            continue
        page_name, events = _WORDS[word]
        if page_name is not None:
            shows_product = "product" in page_name
            product += shows_product
            page = PAGE_CODES[page_name]
            labels = {_LABELED_PAGES[page_name]} if page_name in _LABELED_PAGES else set()
            steps.append(_Step(len(steps), offset, page, product, *previous, frozenset({"pageviews"} | labels)))
            previous = (page, product)
            offset += _PAGE_MS if not events else _EVENT_MS
        for event in events:
            steps.append(_Step(len(steps), offset, page, product, *previous, frozenset({event})))
            offset += _PAGE_MS - _EVENT_MS
        if page_name is None:
            offset += _EVENT_MS
    return steps


_TOLD = tuple(_steps(words.split()) for _, words in _STORIES)
_ALL_STEPS = tuple(step for steps in _TOLD for step in steps)
STEP_COLUMNS = {
    name: pl.Series([getattr(step, name) for step in _ALL_STEPS], dtype=pl.UInt64)
    for name in ("number", "offset", "page", "product", "previous_page", "previous_product")
}
"""The steps of all stories, one after the other."""
LANDING_PAGES = pl.Series([steps[0].page for steps in _TOLD], dtype=pl.UInt64)
LANDING_PRODUCTS = pl.Series([steps[0].product for steps in _TOLD], dtype=pl.UInt64)


def _places(table: str) -> pl.Series:
    """Return for each story the places of its steps of one table among all steps."""
    places: list[list[int]] = []
    first = 0
    for steps in _TOLD:
        places.append([first + step.number for step in steps if table in step.tables])
        first += len(steps)
    return pl.Series(places, dtype=pl.List(pl.UInt32))


VISIT_TABLES = tuple(sorted({table for step in _ALL_STEPS for table in step.tables} - {"pageviews"}))
"""The event tables that visits fill."""
STEPS_BY_TABLE = {table: _places(table) for table in ("pageviews", *VISIT_TABLES)}
TELLS_OF = {table: places.list.len() > 0 for table, places in STEPS_BY_TABLE.items()}
"""Which stories have steps of a table."""
