"""heap_assets: a Heap Connect S3 export as resolved, queryable tables.

Here is only what a notebook would import; everything else is imported from its own module.
"""

from heap_assets.schema.names import table_name

__all__ = ["table_name"]
