"""People of other tables: which Heap user each row is about.

In: rows with a column that says who somebody is, and heap_users. Out: the rows with heap_user_id. CONTRACT section 5
knows nothing of it: it is how a CRM or a shop's orders are joined with what people did.
"""

from typing import Literal

import polars as pl
import polars.selectors as cs

_HEAP_USER_ID, _KEY, _ROW = "heap_user_id", "$key", "$row"


def with_heap_user_id(
    rows: pl.DataFrame, users: pl.DataFrame, *, column: str, key: Literal["identity", "email"]
) -> pl.DataFrame:
    """Return the rows, each once and in their order, with ``heap_user_id`` (Int64, null if nobody is known) in front.

    In: ``rows`` has ``column``, compared as text: with ``identity`` as it is, with ``email`` without case and outer
    blanks; ``users`` has user_id (Int64) and, where the export has them, ``key`` and last_modified. Of several users
    with one key the one last modified counts, then the greatest. A column heap_user_id of the rows is replaced.

    >>> users = pl.DataFrame({"user_id": [7, 8], "email": ["ann@x.example", None]})
    >>> crm = pl.DataFrame({"mail": [" Ann@X.example", "bob@x.example"], "plan": ["gold", "free"]})
    >>> with_heap_user_id(crm, users, column="mail", key="email").rows()
    [(7, ' Ann@X.example', 'gold'), (None, 'bob@x.example', 'free')]
    """
    known = users.select(
        (_comparable(pl.col(key), key) if key in users.columns else pl.lit(None, dtype=pl.String)).alias(_KEY),
        pl.col("user_id").alias(_HEAP_USER_ID),
        (pl.col("last_modified") if "last_modified" in users.columns else pl.lit(None)).alias("last_modified"),
    )
    newest = known.sort("last_modified", _HEAP_USER_ID, nulls_last=False).unique(_KEY, keep="last", maintain_order=True)
    others = [name for name in rows.columns if name != _HEAP_USER_ID]
    keyed = rows.select(cs.by_name(*others), _comparable(cs.by_name(column).as_expr(), key).alias(_KEY))
    found = keyed.join(newest.drop("last_modified"), on=_KEY, how="left", maintain_order="left")
    return found.select(_HEAP_USER_ID, cs.by_name(*others))


def _comparable(values: pl.Expr, key: str) -> pl.Expr:
    text = values.cast(pl.String)
    return text.str.strip_chars().str.to_lowercase() if key == "email" else text
