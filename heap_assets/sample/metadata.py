"""What a dump says about itself: names of events, definitions of labeled properties, the sync report, the manifest.

Here: their content. Not here: where they are written (files.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from heap_assets.sample.calendar import DAY, Dump

BUCKET = "heap-rs3-sample"

_UI_NAMES = {
    "add_to_cart": ("Add to Cart", "web"),
    "app_open": ("App Open", "ios"),
    "banner_click": ("Banner Click", "web"),
    "checkout_start": ("Checkout Start", "web"),
    "newsletter_click": ("Newsletter - Click (Any)", "web"),
    "order_completed": ("Order Completed", "custom"),
    "plan_charged": ("Plan Charged", "server"),
    "product_search": ("Product Search", "web"),
    "product_view": ("Product View", "custom"),
    "sale_page_view": ("Sale: Page View", "web"),
    "sign_up": ("Sign Up", "web"),
    "support_ticket": ("Support Ticket", "server"),
    "wishlist_add": ("Wishlist Add", "web"),
}
_NOTES = {
    "order_completed": "Sent when the payment is confirmed. The amount includes tax.",
    "newsletter_click": "Any link of the newsletter box.",
    "sale_page_view": "Labeled page view of /sale.",
}
_VERIFIED = {"add_to_cart", "checkout_start", "order_completed", "product_view", "sign_up"}
_LABELED_BEFORE = 400 * DAY


def event_metadata(dump: Dump, begin: int) -> list[dict[str, str | None]]:
    """Return one row per event that is synced when the dump is taken."""
    rows: list[dict[str, str | None]] = []
    for number, (table, (ui_name, source)) in enumerate(_UI_NAMES.items()):
        if (table == "wishlist_add" and not dump.grown) or (table == "banner_click" and dump.archived):
            continue
        labeled = begin - _LABELED_BEFORE + number * DAY
        changed = dump.redefined and table == "newsletter_click"
        verified = table in _VERIFIED
        rows.append(
            {
                "ui_name": ui_name,
                "table_name": table,
                "source": source,
                "last_updated_at": str(begin if changed else labeled),
                "last_updated_by": "analytics@shop.example.com",
                "notes": _NOTES.get(table),
                "verified_at": str(labeled + DAY) if verified else None,
                "verified_by": "data@shop.example.com" if verified else None,
            }
        )
    return rows


def property_definitions(dump: Dump) -> list[dict[str, Any]]:
    """Return the definitions of the labeled properties; one of them changes once."""
    channels = [
        _case("Paid", "A & B", A=("utm_medium", "matches", "*cpc*"), B=("utm_source", "isdef", None)),
        _case(
            "Email",
            "A | (B & C)",
            A=("utm_medium", "=", "email"),
            B=("utm_source", "=", "newsletter"),
            C=("referrer", "notdef", None),
        ),
        _case("Organic Search", "A | B", A=("referrer", "contains", "google"), B=("referrer", "contains", "bing")),
        _case("Direct", "A", A=("referrer", "notdef", None)),
    ]
    paying = ["plus", "gold"] if dump.redefined else ["gold"]
    return [
        {
            "property_name": "marketing_channel",
            "type": "event",
            "cases": channels,
            "default_value": _constant("Other"),
        },
        {
            "property_name": "tier",
            "type": "user",
            "cases": [
                _case("paying", "A", A=("plan", "includedin", paying)),
                {"value": {"type": "field", "value": "plan"}, "condition": _condition("A", A=("plan", "isdef", None))},
            ],
            "default_value": _constant("anonymous"),
        },
    ]


def sync_report(dump: Dump) -> dict[str, Any]:
    """Return the report of the sync that wrote the dump."""
    return {
        "start_time": dump.started,
        "finish_time": dump.finished,
        "status": "succeeded",
        "next_sync_at": dump.started + DAY,
        "error": None,
    }


def manifest(
    dump: Dump, files: Mapping[str, Sequence[str]], columns: Mapping[str, Sequence[str]], full_tables: frozenset[str]
) -> dict[str, Any]:
    """Return the manifest of a dump: ``files`` by table, as keys below the root."""
    return {
        "dump_id": dump.dump_id,
        "tables": [
            {
                "name": table,
                "files": [f"s3://{BUCKET}/{key}" for key in files[table]],
                "columns": list(columns[table]),
                "incremental": table not in full_tables,
            }
            for table in files
        ],
        "property_definitions": f"s3://{BUCKET}/sync_{dump.dump_id}/property_definitions.json",
    }


def _case(value: str, formula: str, **clauses: tuple[str, str, Any]) -> dict[str, Any]:
    return {"value": _constant(value), "condition": _condition(formula, **clauses)}


def _condition(formula: str, **clauses: tuple[str, str, Any]) -> dict[str, Any]:
    stated = {
        name: {"property_name": column, "operator": operator, "value": None if value is None else _constant(value)}
        for name, (column, operator, value) in clauses.items()
    }
    return {"clauses": stated, "formula": formula}


def _constant(value: Any) -> dict[str, Any]:
    return {"type": "constant", "value": value}
