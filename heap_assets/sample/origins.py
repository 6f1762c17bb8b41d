"""Where visits come from: traffic sources, devices, places and addresses.

Here: tables of values and how often each occurs. Not here: which visit gets which (visits.py).
"""

from dataclasses import dataclass

import polars as pl

from heap_assets.sample.catalogue import DOMAIN
from heap_assets.sample.draws import weighted


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    first: int
    """Weight among first visits."""
    later: int
    """Weight among later visits."""
    referrer: str | None = None
    landing_page_query: str | None = None
    search_keyword: str | None = None
    utm_source: str | None = None
    utm_medium: str | None = None
    utm_campaign: str | None = None
    utm_term: str | None = None
    utm_content: str | None = None


def _tagged(first: int, later: int, referrer: str | None, **tags: str) -> _Source:
    query = "&".join(f"{name}={value}" for name, value in tags.items())
    return _Source(first=first, later=later, referrer=referrer, landing_page_query=f"?{query}", **tags)


_SOURCES = (
    _Source(first=0, later=0),  # of the app: nothing is known
    _Source(first=150, later=400),
    _Source(first=4, later=8, referrer="direct"),
    _Source(first=4, later=6, referrer=""),
    _Source(first=150, later=90, referrer="https://www.google.com/"),
    _Source(first=20, later=12, referrer="https://www.google.de/", search_keyword="outdoor shop"),
    _Source(first=24, later=14, referrer="https://www.bing.com/"),
    _Source(first=8, later=4, referrer="https://search.yahoo.com/"),
    _Source(first=16, later=10, referrer="https://duckduckgo.com/"),
    _tagged(
        90, 30, "https://www.google.com/",
        utm_source="google", utm_medium="cpc", utm_campaign="brand", utm_term="outdoor+shop",
    ),
    _tagged(
        40, 16, "https://www.Google.com/",
        utm_source="google", utm_medium="CPC", utm_campaign="spring_sale", utm_term="tent", utm_content="text_a",
    ),
    *(
        _Source(first=6, later=2, referrer="https://www.google.com/", landing_page_query=f"?gclid=Cj0KCQjw{code}BhC2")
        for code in ("aXb", "bQr", "cTz", "dLm", "eVw", "fHk")
    ),
    _tagged(30, 10, "https://www.bing.com/", utm_source="bing", utm_medium="cpc", utm_campaign="brand"),
    _tagged(
        60, 30, "https://l.facebook.com/",
        utm_source="facebook", utm_medium="cpc", utm_campaign="summer_video", utm_content="video_1",
    ),
    _tagged(20, 10, "https://www.facebook.com/", utm_source="Facebook", utm_medium="paid_cpc", utm_campaign="retarget"),
    _tagged(10, 120, None, utm_source="newsletter", utm_medium="email", utm_campaign="weekly_2026"),
    _tagged(4, 40, "https://mail.example.net/", utm_source="newsletter", utm_medium="email", utm_campaign="reminder"),
    _tagged(30, 10, "https://partner.example.org", utm_source="partner", utm_medium="affiliate", utm_campaign="gear"),
    _Source(first=24, later=12, referrer="https://blog.example.net/best-tents"),
    _Source(first=6, later=30, referrer=f"https://{DOMAIN}/cart"),
    _Source(first=6, later=24, referrer=f"https://help.{DOMAIN}/returns?order=1"),
    _tagged(10, 6, "https://t.example.net/", utm_source="social", utm_medium="organic", utm_campaign="spring_sale"),
)  # fmt: skip
APP_SOURCE = 0
FIRST_SOURCES = weighted(source.first for source in _SOURCES)
LATER_SOURCES = weighted(source.later for source in _SOURCES)
_SOURCE_NAMES = (
    "referrer",
    "landing_page_query",
    "search_keyword",
    "utm_source",
    "utm_campaign",
    "utm_medium",
    "utm_term",
    "utm_content",
)
SOURCE_COLUMNS = {
    name: pl.Series([getattr(source, name) for source in _SOURCES], dtype=pl.String) for name in _SOURCE_NAMES
}


@dataclass(frozen=True, slots=True)
class _Device:
    weights: tuple[int, int, int]
    """How often it is somebody's first, second, third device."""
    library: str
    platform: str
    device_type: str
    browser: str | None = None
    device: str | None = None
    carrier: str | None = None
    app_name: str | None = None
    app_version: str | None = None


def _phone(weights: tuple[int, int, int], platform: str, device: str, carrier: str, version: str) -> _Device:
    kind = "Tablet" if device.startswith("iPad") else "Mobile"
    return _Device(weights, "ios", platform, kind, None, device, carrier, "Shop", version)


_DEVICES = (
    _Device((20, 6, 10), "web", "Mac OS X 15.5", "Desktop", "Chrome 137"),
    _Device((8, 2, 4), "web", "Mac OS X 15.5", "Desktop", "Safari 18"),
    _Device((24, 8, 14), "web", "Windows 11", "Desktop", "Chrome 137"),
    _Device((8, 2, 6), "web", "Windows 11", "Desktop", "Edge 137"),
    _Device((4, 2, 4), "web", "Linux", "Desktop", "Firefox 139"),
    _Device((14, 20, 6), "web", "iOS 18.5", "Mobile", "Mobile Safari 18"),
    _Device((14, 22, 6), "web", "Android 15", "Mobile", "Chrome Mobile 137"),
    _Device((2, 4, 20), "web", "iPadOS 18.5", "Tablet", "Safari 18"),
    _phone((6, 14, 6), "iOS 18.5", "iPhone 16", "Carrier One", "4.2.0"),
    _phone((5, 14, 6), "iOS 18.5", "iPhone 15 Pro", "Carrier Two", "4.2.0"),
    _phone((3, 8, 4), "iOS 17.7", "iPhone 13", "Carrier One", "4.1.3"),
    _phone((1, 2, 12), "iPadOS 18.5", "iPad Air", "Carrier Three", "4.2.0"),
)
DEVICES_BY_SLOT = tuple(weighted(device.weights[slot] for device in _DEVICES) for slot in range(3))
"""First, second and third device of a person."""
IS_APP = pl.Series([device.library == "ios" for device in _DEVICES])
_DEVICE_NAMES = ("library", "platform", "device_type", "browser", "device", "carrier", "app_name", "app_version")
DEVICE_COLUMNS = {
    name: pl.Series([getattr(device, name) for device in _DEVICES], dtype=pl.String) for name in _DEVICE_NAMES
}

_PLACES = (
    (30, "Germany", "Berlin", "Berlin", "Berlin Mitte", "EUR"),
    (18, "Germany", "Bavaria", "Munich", "Munich Sendling", "EUR"),
    (12, "Germany", "Hamburg", "Hamburg", "Hamburg Altona", "EUR"),
    (10, "Austria", "Vienna", "Vienna", "Vienna Neubau", "EUR"),
    (16, "France", "Île-de-France", "Paris", "Paris 11e", "EUR"),
    (6, "France", "Auvergne-Rhône-Alpes", "Lyon", "Lyon 7e", "EUR"),
    (10, "Spain", "Catalonia", "Barcelona", "Barcelona Gràcia", "EUR"),
    (18, "United Kingdom", "England", "London", "London Hackney", "GBP"),
    (8, "United Kingdom", "Scotland", "Edinburgh", "Edinburgh Leith", "GBP"),
    (8, "Switzerland", "Zurich", "Zürich", "Zürich Wiedikon", "CHF"),
    (20, "United States", "New York", "New York", "Brooklyn", "USD"),
    (14, "United States", "California", "San Francisco", "San Francisco Mission", "USD"),
    (10, "United States", "Colorado", "Denver", "Denver Highland", "USD"),
    (4, "Japan", "Tokyo", "Tokyo", "Setagaya", "USD"),
)
PLACES = len(_PLACES)
PLACE_WEIGHTS = weighted(place[0] for place in _PLACES)
CURRENCIES = pl.Series([place[5] for place in _PLACES] * 2)
PLACE_COLUMNS = {
    "country": pl.Series([place[1] for place in _PLACES] * 2),
    "region": pl.Series([place[2] for place in _PLACES] * 2),
    "city": pl.Series([place[3] for place in _PLACES] + [place[4] for place in _PLACES]),
}
"""The second half is what Heap knows better when it sends a row again."""
ADDRESSES = pl.Series(
    [f"{net}.{host}" for net in ("192.0.2", "198.51.100", "203.0.113") for host in range(1, 255)],
)
"""Addresses that are reserved for documentation."""
