"""The analytics configuration as typed values: funnels, segments, attribution, freshness.

Here: keys, defaults and what is allowed (CONTRACT section 5). Not here: channels (config/channels.py), reading YAML
(config/load.py), resolving display names of events.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from heap_assets.config.channels import DEFAULT_CHANNELS, ChannelRule
from heap_assets.config.durations import duration_text
from heap_assets.config.values import (
    ConfigurationPart,
    Count,
    Duration,
    FreshnessDuration,
    Host,
    Identifier,
    NotEmpty,
    PlacedError,
    Text,
    Where,
    Word,
    distinct,
)
from heap_assets.schema.names import folded

_SCHEMAS_OF_OTHERS = ("heap_analytics", "information_schema", "pg_catalog")


class _Conditional(ConfigurationPart):
    """Rows whose columns equal these values: compared as text, or as numbers or flags where the column is one."""

    where: Where = Field(default_factory=dict)


class Step(_Conditional):
    """One step of a funnel: an event, perhaps only rows with certain values; a bare name is the event."""

    event: Text

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: object) -> object:
        return {"event": value} if isinstance(value, str) else value


class Funnel(ConfigurationPart):
    """Steps in order; without a window the time between them is unlimited."""

    name: Text
    steps: Annotated[tuple[Step, ...], NotEmpty]
    window: Duration | None = None
    scope: Literal["user", "session"] = "user"
    group_by: Text | None = None


class Segment(_Conditional):
    """Migrated users for whom all conditions hold; published as ``segment_<name>``."""

    name: Word
    did: Text | None = None
    did_not: Text | None = None

    @model_validator(mode="after")
    def _has_a_condition(self) -> Self:
        if not self.where and self.did is None and self.did_not is None:
            raise ValueError("allowed: at least one of where, did, did_not")
        return self


class Attribution(ConfigurationPart):
    """How far before a conversion a touch counts, how fast its weight decays, how many touches count at most."""

    lookback: Duration = timedelta(days=14)
    half_life: Duration = timedelta(days=7)
    max_touches: Count = 100


def _order_problem(warn: timedelta, fail: timedelta) -> str | None:
    if warn < fail:
        return None
    return f"warn is {duration_text(warn)} and fail is {duration_text(fail)}; allowed: warn less than fail"


class FreshnessLimits(ConfigurationPart):
    """The ages at which a table's newest data is worth a warning, and a failure."""

    warn: FreshnessDuration = timedelta(hours=26)
    fail: FreshnessDuration = timedelta(hours=50)

    @model_validator(mode="after")
    def _warns_first(self) -> Self:
        if (problem := _order_problem(self.warn, self.fail)) is not None:
            raise ValueError(problem)
        return self


class TableFreshness(ConfigurationPart):
    """One table's own limits; what is missing is as in the default."""

    warn: FreshnessDuration | None = None
    fail: FreshnessDuration | None = None


class Freshness(ConfigurationPart):
    """Limits for all tables, and for single ones."""

    default: FreshnessLimits = FreshnessLimits()
    tables: Mapping[Text, TableFreshness] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _tables_warn_first(self) -> Self:
        problems: dict[tuple[str | int, ...], str] = {
            ("tables", name): problem
            for name, limits in self.tables.items()
            if (problem := _order_problem(limits.warn or self.default.warn, limits.fail or self.default.fail))
        }
        if problems:
            raise PlacedError(problems)
        return self

    def limits_of(self, table: str) -> FreshnessLimits:
        """Return the limits of a table."""
        own = self.tables.get(table, TableFreshness())
        return FreshnessLimits(warn=own.warn or self.default.warn, fail=own.fail or self.default.fail)


class Configuration(ConfigurationPart):
    """Everything that the analytics configuration says; without any key it is the contract's default.

    Attributes:
        funnel_events: Events by table name or display name; each has one place, from 1.
        channels: Rules in order; empty stands for the default list.
    """

    project: Identifier = "main"
    environment: Word = "production"
    all_events_columns: Literal["all", "builtin", "basic"] = "all"
    own_domains: tuple[Host, ...] = ()
    session_gap: Duration = timedelta(minutes=30)
    funnel_events: Annotated[tuple[Text, ...], distinct(str, (), "each event once")] = ()
    conversion_events: tuple[Text, ...] = ()
    funnels: Annotated[
        tuple[Funnel, ...], distinct(lambda funnel: funnel.name, ("name",), "a name that no other funnel has")
    ] = ()
    segments: Annotated[
        tuple[Segment, ...],
        distinct(lambda segment: folded(segment.name), ("name",), "a name that no other segment has, in any case"),
    ] = ()
    channels: tuple[ChannelRule, ...] = ()
    attribution: Attribution = Attribution()
    freshness: Freshness = Freshness()

    @model_validator(mode="after")
    def _schema_is_free(self) -> Self:
        if folded(self.schema_name) in _SCHEMAS_OF_OTHERS:
            raise ValueError(f"the schema would be {self.schema_name}; allowed: another project or environment")
        return self

    @property
    def schema_name(self) -> str:
        """Return the schema of the tables as delivered."""
        return f"{self.project}_{self.environment}"

    @property
    def migrated_schema_name(self) -> str:
        """Return the schema of the tables on resolved users."""
        return f"{self.schema_name}_migrated"

    @property
    def channel_rules(self) -> tuple[ChannelRule, ...]:
        """Return the rules that hold: those of the configuration, which replace the default list."""
        return self.channels or DEFAULT_CHANNELS
