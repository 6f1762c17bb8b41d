"""Values as text in SQL: the same forms as polars/text.py, for DuckDB.

Here: one expression around another. Not here: quoting of names.
"""


def text_form_sql(expression: str, duckdb_type: str) -> str:
    """Return SQL for the values of ``expression``, which has this type, in text form.

    >>> text_form_sql("price", "BIGINT")
    'CAST(price AS VARCHAR)'
    """
    match duckdb_type:
        case "VARCHAR":
            return expression
        case "DOUBLE" | "FLOAT":
            # DuckDB writes doubles as Python does, but shows the sign of a NaN
            return f"replace(CAST(CAST({expression} AS DOUBLE) AS VARCHAR), '-nan', 'nan')"
        case "TIMESTAMP":
            return _time_text(expression)
        case _:
            return f"CAST({expression} AS VARCHAR)"


def _time_text(expression: str) -> str:
    """Write times of the years 1 to 9999; others have no such form, and DuckDB fails on the farthest."""
    first, last = "TIMESTAMP '0001-01-01 00:00:00'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
    text = f"strftime(CASE WHEN {expression} BETWEEN {first} AND {last} THEN {expression} END, '%Y-%m-%d %H:%M:%S.%f')"
    return f"regexp_replace({text}, '\\.000000$', '')"
