"""People of other tables: which Heap user each row is about.

In: rows with a column that says who somebody is, and heap_users. Out: the rows with heap_user_id. CONTRACT section 5
knows nothing of it: it is how a CRM or a shop's orders are joined with what people did.
"""

from collections.abc import Collection
from typing import Literal

import polars as pl
import polars.selectors as cs

from heap_assets.expressions.polars.text import text_form
from heap_assets.schema.names import published_names

_HEAP_USER_ID, _KEY = "heap_user_id", "$key"


def with_heap_user_id(
    rows: pl.DataFrame, users: pl.DataFrame, *, column: str, key: Literal["identity", "email"]
) -> pl.DataFrame:
    """Return the rows, each once and in their order, with ``heap_user_id`` (Int64, null if nobody is known) in front.

    Columns keep their names, but for those that differ only in case from one another or from ours: ``published_names``.

    In: ``rows`` has ``column``, compared as text: with ``identity`` as it is, with ``email`` without case and outer
    blanks; ``users`` has user_id (Int64) and, where the export has them, ``key`` and last_modified. Of several users
    with one key the one last modified counts, then the greatest. An empty key is nobody's.

    >>> users = pl.DataFrame({"user_id": [7, 8], "email": ["ann@x.example", None]})
    >>> crm = pl.DataFrame({"mail": [" Ann@X.example", "bob@x.example"], "plan": ["gold", "free"]})
    >>> with_heap_user_id(crm, users, column="mail", key="email").rows()
    [(7, ' Ann@X.example', 'gold'), (None, 'bob@x.example', 'free')]
    """
    known = users.select(
        (
            _comparable(pl.col(key), users.schema[key], key) if key in users.columns else pl.lit(None, dtype=pl.String)
        ).alias(_KEY),
        pl.col("user_id").alias(_HEAP_USER_ID),
        (pl.col("last_modified") if "last_modified" in users.columns else pl.lit(None)).alias("last_modified"),
    )
    newest = known.sort("last_modified", _HEAP_USER_ID, nulls_last=False).unique(_KEY, keep="last", maintain_order=True)
    wanted = rows.select(_comparable(cs.by_name(column).as_expr(), rows.schema[column], key).alias(_KEY))
    found = wanted.join(newest.drop("last_modified"), on=_KEY, how="left", maintain_order="left")
    return rows.rename(names_beside_ours(rows.columns)).insert_column(0, found[_HEAP_USER_ID])


def names_beside_ours(names: Collection[str]) -> dict[str, str]:
    """Return each name with the one that it has beside heap_user_id.

    >>> names_beside_ours(["Heap_User_Id", "plan"])
    {'Heap_User_Id': 'Heap_User_Id_2', 'plan': 'plan'}
    """
    return published_names(names, reserved=[_HEAP_USER_ID])


def _comparable(values: pl.Expr, dtype: pl.DataType, key: str) -> pl.Expr:
    text = text_form(values, dtype)
    folded = text.str.strip_chars().str.to_lowercase() if key == "email" else text
    return pl.when(folded != "").then(folded)
