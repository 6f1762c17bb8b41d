"""The channel of one session by a plain reading of the contract: rule after rule, the first that matches."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from heap_assets.config.channels import ChannelRule, Rule, TextCondition
from heap_assets_tests.oracles.analytics_sessions import referrer


def channel(session: dict, rules: Sequence[ChannelRule], own_domains: Sequence[str]) -> str:
    """Return the name of the first rule that matches."""
    matching = (rule.name for rule in rules if _holds(rule, session, own_domains))
    return next(matching, "Unattributed")


def _holds(rule: Rule, session: dict, own_domains: Sequence[str]) -> bool:
    for field, condition in rule.text_conditions.items():
        text = referrer(session) if field == "referrer" else session.get(field)
        if not _fits(condition, text.lower() if text else None):
            return False
    if rule.own_domain and not is_own(referrer(session), own_domains):
        return False
    return rule.any_of is None or any(_holds(one, session, own_domains) for one in rule.any_of)


def _fits(condition: TextCondition, text: str | None) -> bool:
    if condition.is_null is not None and condition.is_null != (text is None):
        return False
    if condition.equals is not None and text != condition.equals.lower():
        return False
    if condition.contains is not None and (text is None or condition.contains.lower() not in text):
        return False
    parts = condition.contains_any
    return parts is None or (text is not None and any(part.lower() in text for part in parts))


def is_own(url: str | None, own_domains: Sequence[str]) -> bool:
    """Return whether the host of a URL, with or without scheme, is an own domain or below one."""
    host = urlsplit(url if url and "//" in url else f"//{url or ''}").hostname or ""
    return any(host == domain.lower() or host.endswith(f".{domain.lower()}") for domain in own_domains)
