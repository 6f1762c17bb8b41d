"""Settings from the environment: one frozen object, validated at once.

Here: HEAP_* and the AWS variables that we read ourselves. Not here: AWS credentials (boto3 finds them), the analytics
configuration (config/). A wrong value is one error that names the variable, the value and what is allowed.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from heap_assets.addresses import AddressError, S3Place, read_address
from heap_assets.aws.access import AwsAccess
from heap_assets.errors import SettingsError
from heap_assets.other_table import OtherTable, read_other_table

_MISREAD_BY_DELTA = re.compile(r"%[0-9A-Fa-f]{2}|[\\\x00-\x1f\x7f]|//|/\.{1,2}(/|$)")
_MOST_BYTES_OF_A_NAME = 200  # of the 255 that file systems take: files that are built beside have longer names
FactsAs = Literal["views", "tables"]
DEFAULT_UI_URL = "http://127.0.0.1:3000"
DEFAULT_MEMORY_GIB = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """Where alerts go, and where the UI is that they link to."""

    urls: tuple[str, ...] = field(repr=False)
    ui_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where everything is.

    Attributes:
        home: Folder for what is not placed elsewhere.
        export_uri: The export, a folder or ``s3://bucket/prefix``; None stands for the sample export in ``home``.
        lake_uri: The lake, a folder or ``s3://bucket/prefix``.
        duckdb_path: The published file.
        config_path: The analytics configuration; None stands for the packaged one.
        facts_as: Whether facts are published as views over the lake's Parquet or as tables.
        memory_gib: About how much memory a first build may take, 2.3 at least; larger data is computed in parts.
        other: A table of the user's own that is published next to Heap's.
        aws: How S3 is reached.
        alert_urls: Where alerts go, as Apprise writes it; they hold secrets.
        ui_url: Where people reach Dagster's UI, and where it is told to load the definitions again.
    """

    home: Path
    export_uri: str | None
    lake_uri: str
    duckdb_path: Path
    config_path: Path | None
    facts_as: FactsAs
    memory_gib: float = DEFAULT_MEMORY_GIB
    other: OtherTable | None = None
    aws: AwsAccess
    alert_urls: tuple[str, ...] = field(default=(), repr=False)
    ui_url: str = DEFAULT_UI_URL

    @property
    def sample_path(self) -> Path:
        """Return where the embedded sample export is made."""
        return self.home / "sample"

    @property
    def report_path(self) -> Path:
        """Return where the report is."""
        return self.home / "report.html"

    @property
    def source_uri(self) -> str:
        """Return the export that is read."""
        return self.export_uri or str(self.sample_path)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings that an environment gives; an empty variable counts as unset.

    Raises:
        SettingsError: A variable has a value that cannot be used.
    """

    def setting(name: str) -> str | None:
        return environment.get(name, "").strip() or None

    alerts = read_alert_settings(environment)
    home = _local("HEAP_HOME", setting("HEAP_HOME") or ".heap", allowed="a folder")
    if home.exists() and not home.is_dir():
        raise SettingsError(f"HEAP_HOME is {home}, which is a file; it must be a folder.")
    lake_uri = _place("HEAP_LAKE_URI", setting("HEAP_LAKE_URI") or str(home / "lake"))
    if _MISREAD_BY_DELTA.search(lake_uri.removeprefix("s3://")):
        raise SettingsError(
            f"HEAP_LAKE_URI is {lake_uri}, but Delta misreads a percent sign before two hexadecimal digits, a"
            " backslash, control characters and empty parts; choose another place, by HEAP_LAKE_URI or HEAP_HOME."
        )
    if not is_s3(lake_uri) and Path(lake_uri).is_file():
        raise SettingsError(f"HEAP_LAKE_URI is {lake_uri}, which is a file; it must be a folder.")
    export_uri = setting("HEAP_EXPORT_URI")
    export_uri = None if export_uri is None else _place("HEAP_EXPORT_URI", export_uri)
    if export_uri is not None and not is_s3(export_uri) and not Path(export_uri).is_dir():
        raise SettingsError(f"HEAP_EXPORT_URI is {export_uri}, and there is no such folder.")
    duckdb_path = _local("HEAP_DUCKDB_PATH", setting("HEAP_DUCKDB_PATH") or str(home / "heap.duckdb"), allowed="a path")
    if duckdb_path.is_dir():
        raise SettingsError(f"HEAP_DUCKDB_PATH is {duckdb_path}, which is a folder; it must be a file.")
    if len(duckdb_path.name.encode()) > _MOST_BYTES_OF_A_NAME:
        raise SettingsError(f"HEAP_DUCKDB_PATH is {duckdb_path}, whose name is longer than 200 bytes; shorten it.")
    config, endpoint = setting("HEAP_CONFIG"), setting("AWS_ENDPOINT_URL")
    config_path = None if config is None else _local("HEAP_CONFIG", config, allowed="a YAML file")
    if config_path is not None and not config_path.is_file():
        raise SettingsError(f"HEAP_CONFIG is {config}, and there is no such file.")
    return Settings(
        home=home,
        export_uri=export_uri,
        lake_uri=lake_uri,
        duckdb_path=duckdb_path,
        config_path=config_path,
        facts_as=_facts_as(setting("HEAP_FACTS_AS"), lake_uri),
        memory_gib=_memory_gib(setting("HEAP_MEMORY_GIB")),
        other=read_other_table(setting("HEAP_OTHER_TABLE"), setting("HEAP_OTHER_KEY")),
        aws=AwsAccess(
            endpoint_url=None
            if endpoint is None
            else _http("AWS_ENDPOINT_URL", endpoint, example="https://s3.example.com"),
            region=setting("AWS_REGION") or setting("AWS_DEFAULT_REGION"),
            role_arn=setting("HEAP_AWS_ROLE_ARN"),
            external_id=setting("HEAP_AWS_EXTERNAL_ID"),
        ),
        alert_urls=alerts.urls,
        ui_url=alerts.ui_url,
    )


def read_alert_settings(environment: Mapping[str, str]) -> AlertSettings:
    """Return the settings of alerts alone: people are told of a run that fails because another setting is wrong.

    Raises:
        SettingsError: A variable has a value that cannot be used.
    """
    urls, ui_url = (environment.get(name, "").strip() for name in ("HEAP_ALERT_URLS", "HEAP_UI_URL"))
    return AlertSettings(urls=_alert_urls(urls), ui_url=_ui_url(ui_url or DEFAULT_UI_URL))


def is_s3(uri: str) -> bool:
    """Return whether a place is in S3."""
    return uri.startswith("s3://")


def _place(name: str, value: str) -> str:
    """Return a folder as an absolute path, an S3 place as its address."""
    place = _address(name, value, allowed="a folder or s3://bucket/prefix")
    return str(place) if isinstance(place, Path) else place.uri


def _local(name: str, value: str, *, allowed: str) -> Path:
    """Return an absolute path."""
    place = _address(name, value, allowed=allowed)
    if isinstance(place, Path):
        return place
    raise SettingsError(f"{name} is {value}; it must be {allowed}.")


def _address(name: str, value: str, *, allowed: str) -> Path | S3Place:
    try:
        place = read_address(value)
        if isinstance(place, Path):
            place.exists()  # a name that the file system refuses, as too long, is told here
    except AddressError as error:
        raise SettingsError(f"{name} is {error.shown}, which {error.reason}; it must be {allowed}.") from error
    except OSError as error:
        raise SettingsError(
            f"{name} is {value}, which cannot be used: {error.strerror}; choose another path."
        ) from error
    return place


def _alert_urls(value: str) -> tuple[str, ...]:
    """Return the addresses, parted by blanks or lines; an address may have commas."""
    urls = tuple(value.split())
    for place, url in enumerate(urls, start=1):
        if "://" not in url:
            raise SettingsError(
                f"HEAP_ALERT_URLS, address {place}: it is none (not shown, it may be secret). Write addresses as"
                " Apprise does, such as slack://..., msteams://..., mailto://..., json://..., parted by blanks."
            )
    return urls


def _ui_url(value: str) -> str:
    return _http("HEAP_UI_URL", value, example="http://dagster.example.com")


def _http(name: str, value: str, *, example: str) -> str:
    """Return an address of the web without a slash at its end."""
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:  # an open bracket, a port that is not a number
        is_address = False
    if not is_address or "@" in value:
        shown = "not shown, since it holds credentials" if "@" in value else value
        raise SettingsError(f"{name} is {shown}; it must be an address such as {example}.")
    return value.rstrip("/")


def _memory_gib(value: str | None) -> float:
    if value is None:
        return DEFAULT_MEMORY_GIB
    try:
        memory = float(value)
    except ValueError:
        memory = math.nan
    if not 0 < memory < math.inf:
        raise SettingsError(f"HEAP_MEMORY_GIB is {value}; it must be a number of GiB such as 4 or 0.5.")
    return memory


def _facts_as(value: str | None, lake_uri: str) -> FactsAs:
    if value is None:
        return "tables" if is_s3(lake_uri) else "views"
    if value == "views" and is_s3(lake_uri):
        raise SettingsError(
            "HEAP_FACTS_AS is views, but the lake is in S3, where a view would need DuckDB's httpfs extension in every"
            " reader; use tables."
        )
    match value:
        case "views":
            return "views"
        case "tables":
            return "tables"
    raise SettingsError(f"HEAP_FACTS_AS is {value}; it must be views or tables.")
