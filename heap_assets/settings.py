"""Settings from the environment: one frozen object, validated at once.

Here: HEAP_* and the AWS variables that we read ourselves. Not here: AWS credentials (boto3 finds them), the analytics
configuration (config/). A wrong value is one error that names the variable, the value and what is allowed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from heap_assets.aws.access import AwsAccess
from heap_assets.config.durations import parse_duration
from heap_assets.errors import SettingsError
from heap_assets.limits import Limits
from heap_assets.places import is_s3, lake_place, local_path, place, published_path, web_address
from heap_assets.sources.external.table import ExternalTable, read_external_table

FactsAs = Literal["views", "tables"]
DEFAULT_UI_URL = "http://127.0.0.1:3000"
DEFAULT_LOCK_WAIT = timedelta(hours=2)
"""A sync that takes longer than this is a first build of years of data, or hangs."""


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
        lock_wait: How long a sync waits for another one that is at work on the same lake.
        external: A table of the user's own that is published next to Heap's.
        limits: How much memory a run may take, and when what runs keep is put together.
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
    lock_wait: timedelta = DEFAULT_LOCK_WAIT
    external: ExternalTable | None = None
    limits: Limits = field(default_factory=Limits)
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
    home = read_home(environment)
    lake_uri = lake_place("HEAP_LAKE_URI", setting("HEAP_LAKE_URI") or str(home / "lake"))
    export_uri = setting("HEAP_EXPORT_URI")
    export_uri = None if export_uri is None else place("HEAP_EXPORT_URI", export_uri)
    if export_uri is not None and not is_s3(export_uri) and not Path(export_uri).is_dir():
        raise SettingsError(f"HEAP_EXPORT_URI is {export_uri}, and there is no such folder.")
    duckdb_path = published_path("HEAP_DUCKDB_PATH", setting("HEAP_DUCKDB_PATH") or str(home / "heap.duckdb"))
    config, endpoint = setting("HEAP_CONFIG"), setting("AWS_ENDPOINT_URL")
    config_path = None if config is None else local_path("HEAP_CONFIG", config, allowed="a YAML file")
    if config_path is not None and not config_path.is_file():
        raise SettingsError(f"HEAP_CONFIG is {config}, and there is no such file.")
    return Settings(
        home=home,
        export_uri=export_uri,
        lake_uri=lake_uri,
        duckdb_path=duckdb_path,
        config_path=config_path,
        facts_as=_facts_as(setting("HEAP_FACTS_AS"), lake_uri),
        lock_wait=_lock_wait(setting("HEAP_LOCK_WAIT")),
        limits=Limits(memory_gib=_memory_gib(setting("HEAP_MEMORY_GIB"))),
        external=read_external_table(setting("HEAP_OTHER_TABLE"), setting("HEAP_OTHER_KEY")),
        aws=AwsAccess(
            endpoint_url=None
            if endpoint is None
            else web_address("AWS_ENDPOINT_URL", endpoint, example="https://s3.example.com"),
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


def read_home(environment: Mapping[str, str]) -> Path:
    """Return HEAP_HOME alone: what was known last lies there, whatever is wrong with another setting.

    Raises:
        SettingsError: It is a file.
    """
    home = local_path("HEAP_HOME", environment.get("HEAP_HOME", "").strip() or ".heap", allowed="a folder")
    if home.exists() and not home.is_dir():
        raise SettingsError(f"HEAP_HOME is {home}, which is a file; it must be a folder.")
    return home


def _alert_urls(value: str) -> tuple[str, ...]:
    """Return the addresses, parted by blanks or lines; an address may have commas."""
    urls = tuple(value.split())
    for number, url in enumerate(urls, start=1):
        if "://" not in url:
            raise SettingsError(
                f"HEAP_ALERT_URLS, address {number}: it is none (not shown, it may be secret). Write addresses as"
                " Apprise does, such as slack://..., msteams://..., mailto://..., json://..., parted by blanks."
            )
    return urls


def _ui_url(value: str) -> str:
    return web_address("HEAP_UI_URL", value, example="http://dagster.example.com")


def _lock_wait(value: str | None) -> timedelta:
    try:
        return DEFAULT_LOCK_WAIT if value is None else parse_duration(value)
    except ValueError as error:
        raise SettingsError(f"HEAP_LOCK_WAIT is {value}; {error}.") from error


def _memory_gib(value: str | None) -> float:
    if value is None:
        return Limits().memory_gib
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
