"""The columns that Heap documents for sessions, pageviews and event tables.

Here: names, types and meanings. Not here: tables and keys (heap_tables.py).
Source: Heap's data schema page. An export may lack any of them and have others besides.
"""

from dataclasses import dataclass

from heap_assets.schema.value_types import ColumnType, ValueType


@dataclass(frozen=True, slots=True)
class Column:
    """A documented column: its name, its type and what it means."""

    name: str
    type: ColumnType
    meaning: str


SESSION_COLUMNS = (
    Column("event_id", ValueType.LONG, "Id, made by Heap"),
    Column("user_id", ValueType.LONG, "User"),
    Column("session_id", ValueType.LONG, "Session"),
    Column("time", ValueType.TIME, "When it happened (UTC)"),
    Column("library", ValueType.TEXT, "Heap library that recorded it: web, iOS, android or server"),
    Column("platform", ValueType.TEXT, "Operating system of the user"),
    Column("device_type", ValueType.TEXT, "Mobile, Tablet or Desktop"),
    Column("country", ValueType.TEXT, "Country, from the IP address"),
    Column("region", ValueType.TEXT, "Region, from the IP address"),
    Column("city", ValueType.TEXT, "City, from the IP address"),
    Column("ip", ValueType.TEXT, "IP address"),
    Column("referrer", ValueType.TEXT, "Page that led to the site; null means direct"),
    Column("landing_page", ValueType.TEXT, "URL of the session's first page"),
    Column("landing_page_query", ValueType.TEXT, "Query of the session's first page"),
    Column("landing_page_hash", ValueType.TEXT, "Hash route of the session's first page"),
    Column("browser", ValueType.TEXT, "Browser"),
    Column("search_keyword", ValueType.TEXT, "Search term that led to the site (deprecated by Heap)"),
    Column("utm_source", ValueType.TEXT, "utm_source of the session's first page"),
    Column("utm_campaign", ValueType.TEXT, "utm_campaign of the session's first page"),
    Column("utm_medium", ValueType.TEXT, "utm_medium of the session's first page"),
    Column("utm_term", ValueType.TEXT, "utm_term of the session's first page"),
    Column("utm_content", ValueType.TEXT, "utm_content of the session's first page"),
    Column("device", ValueType.TEXT, "Device model (iOS)"),
    Column("carrier", ValueType.TEXT, "Mobile carrier (iOS)"),
    Column("app_name", ValueType.TEXT, "Name of the app (iOS)"),
    Column("app_version", ValueType.TEXT, "Version of the app (iOS)"),
    Column("heap_device_id", ValueType.TEXT, "Id of the device (Android)"),
    Column("heap_app_name", ValueType.TEXT, "Name of the app (Android)"),
    Column("heap_app_version", ValueType.TEXT, "Version of the app (Android)"),
    Column("heap_device", ValueType.TEXT, "Device model (Android)"),
)
_SCREEN_COLUMNS = (
    Column("path", ValueType.TEXT, "Path of the page"),
    Column("query", ValueType.TEXT, "Query of the page"),
    Column("hash", ValueType.TEXT, "Hash of the page"),
    Column("title", ValueType.TEXT, "Title of the page"),
    Column("view_controller", ValueType.TEXT, "View controller (iOS)"),
    Column("screen_a11y_id", ValueType.TEXT, "Accessibility id of the screen (iOS)"),
    Column("screen_a11y_label", ValueType.TEXT, "Accessibility label of the screen (iOS)"),
    Column("heap_previous_page", ValueType.TEXT, "Page before this one in the session"),
)
PAGEVIEW_COLUMNS = (*SESSION_COLUMNS, *_SCREEN_COLUMNS)
EVENT_COLUMNS = (
    *PAGEVIEW_COLUMNS,
    Column("type", ValueType.TEXT, "What was done, such as click or view page; the name of a custom event"),
    Column("domain", ValueType.TEXT, "Domain of the page, subdomain included"),
    Column("href", ValueType.TEXT, "Target of the link that was clicked"),
    Column("action_method", ValueType.TEXT, "Action method that was triggered (iOS)"),
    Column("target_view_class", ValueType.TEXT, "Class of the target (iOS)"),
    Column("target_view_name", ValueType.TEXT, "Instance variable of the target (iOS)"),
    Column("target_a11y_id", ValueType.TEXT, "Accessibility id of the target (iOS)"),
    Column("target_a11y_label", ValueType.TEXT, "Accessibility label of the target (iOS)"),
    Column("target_text", ValueType.TEXT, "Text of the target"),
)
