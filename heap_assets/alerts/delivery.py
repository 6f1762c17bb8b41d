"""Where alerts go: through Apprise, to every destination of HEAP_ALERT_URLS.

A destination's URL holds its secret, so nobody is told more of it than its kind and a short digest. Here: sending to
one destination at a time, so that one that is down does not repeat what another has got. Not here: what is said.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from heap_assets.alerts.message import Message
from heap_assets.errors import SettingsError

_TYPES = {"passed": "success", "warning": "warning", "failed": "failure"}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where messages go; only ``name`` may be shown."""

    url: str = field(repr=False)

    @property
    def name(self) -> str:
        """Return the kind of service and a digest that tells two of a kind apart."""
        kind = self.url.partition("://")[0]
        return f"{kind}-{hashlib.sha256(self.url.encode()).hexdigest()[:6]}"


def destinations(urls: Sequence[str]) -> tuple[Destination, ...]:
    """Return the destinations of some URLs.

    Raises:
        SettingsError: Apprise knows no service for a URL; the message names its place and kind only.
    """
    import apprise  # noqa: PLC0415  a sixth of a second, and most ticks send nothing

    _keep_secrets()
    for place, url in enumerate(urls, start=1):
        if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
            raise SettingsError(
                f"HEAP_ALERT_URLS, address {place} ({url.partition('://')[0][:20]}://...): no service that Apprise"
                " knows; see https://github.com/caronc/apprise for how addresses are written."
            )
    return tuple(Destination(url) for url in dict.fromkeys(urls))


def delivered(message: Message, destination: Destination) -> bool:
    """Send a message to one destination and return whether it took it."""
    import apprise  # noqa: PLC0415

    _keep_secrets()
    service = apprise.Apprise()
    service.add(destination.url)
    sent = service.notify(
        title=message.title,
        body=message.body,
        notify_type=apprise.NotifyType(_TYPES[message.level]),
        body_format=apprise.NotifyFormat.TEXT,
    )
    return bool(sent)


def _keep_secrets() -> None:
    """Keep Apprise's own log lines to itself: they name addresses."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
