"""An example of an asset of your own: a table from elsewhere, joined with Heap's people.

It is there only where HEAP_OTHER_TABLE is set. Copy it to bring more tables, or to compute something else of
heap_users. Here: the asset. Not here: the step (pipeline/build/external_data.py).
"""

import dagster as dg

from heap_assets.defs.keys import ANALYTICS_GROUP, OTHER, model_key
from heap_assets.defs.resources import HeapSync
from heap_assets.models.heap_users import HEAP_USERS
from heap_assets.pipeline.build.external_data import ABOUT
from heap_assets.sources.external.table import ExternalTable


def external_asset(other: ExternalTable) -> dg.AssetsDefinition:
    """Return the asset of a table of the user's own."""

    @dg.asset(
        key=[OTHER, other.name],
        deps=[model_key(ANALYTICS_GROUP, HEAP_USERS.name)],
        group_name=OTHER,
        kinds={other.kind, "polars"},
        description=ABOUT,
    )
    def join_external(context: dg.AssetExecutionContext, heap: dg.ResourceParam[HeapSync]) -> dg.MaterializeResult:  # type: ignore[type-arg]
        joined = heap.sync_of(context).join_external()
        for warning in joined.warnings:
            context.log.warning("%s", warning)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": joined.rows,
                "dagster/table_name": f"{OTHER}.{joined.name}",
                "rows_about_a_known_person": joined.matched,
                **({"warnings": "\n".join(joined.warnings)} if joined.warnings else {}),
            }
        )

    return join_external
