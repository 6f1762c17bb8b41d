"""Times in SQL: the same readings as polars/times.py, for views over columns that came as times and as text.

Here: one DuckDB expression around another. Rare (a custom property that was a timestamp once), yet no value is lost.
"""

from heap_assets.schema.value_types import ValueType

_FIRST_MICRO = -62_135_596_800_000_000
_LAST_MICRO = 253_402_300_799_999_999
_DIGITS = "^-?[0-9]+$"
_YEAR = "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
_TEXT = (
    f"^({_YEAR}-[0-9]{{2}}-[0-9]{{2}})"
    "(?:[T ]((?:[01][0-9]|2[0-3]):[0-5][0-9])(?::([0-5][0-9])(?:\\.([0-9]+))?)?"
    "(?:Z|([+-])([01][0-9]|2[0-3])(?::?([0-5][0-9]))?)?)?$"
)


def time_sql(expression: str, value_type: ValueType) -> str:
    """Return SQL for the values of ``expression``, which has this type, as TIMESTAMP; null for what is not a time."""
    match value_type:
        case ValueType.TIME:
            return expression
        case ValueType.LONG:
            return _epoch(expression)
        case ValueType.DOUBLE:
            return _epoch(_micros(expression), unit=False)
        case ValueType.TEXT:
            return _text(expression)
        case ValueType.BOOLEAN:
            return "CAST(NULL AS TIMESTAMP)"


def _micros(value: str) -> str:
    whole = f"TRY_CAST({value} AS BIGINT)"
    micros = (
        f"CASE WHEN abs({value}) < 1e11 THEN {value} * 1000000 WHEN abs({value}) < 1e14 THEN {value} * 1000"
        f" ELSE {value} END"
    )
    return f"CASE WHEN abs({value}) < 1e17 THEN TRY_CAST(floor({micros}) AS BIGINT) ELSE {_thousandth(whole)} END"


def _thousandth(value: str) -> str:
    """Return SQL for a thousandth of a whole number, rounded down."""
    return f"{value} // 1000 - CASE WHEN {value} % 1000 < 0 THEN 1 ELSE 0 END"


def _epoch(value: str, *, unit: bool = True) -> str:
    micros = (
        f"CASE WHEN {value} BETWEEN -99999999999 AND 99999999999 THEN {value} * 1000000"
        f" WHEN {value} BETWEEN -99999999999999 AND 99999999999999 THEN {value} * 1000"
        f" WHEN {value} BETWEEN -99999999999999999 AND 99999999999999999 THEN {value}"
        f" ELSE {_thousandth(value)} END"
        if unit
        else value
    )
    inside = f"({micros}) <> 0 AND ({micros}) BETWEEN {_FIRST_MICRO} AND {_LAST_MICRO}"
    return f"CASE WHEN {inside} THEN make_timestamp(CAST({micros} AS BIGINT)) END"


def _text(text: str) -> str:
    def part(number: int, otherwise: str) -> str:
        return f"coalesce(nullif(regexp_extract({text}, '{_TEXT}', {number}), ''), '{otherwise}')"

    fraction = f"rpad(substr(regexp_extract({text}, '{_TEXT}', 4), 1, 6), 6, '0')"
    clock = f"{part(2, '00:00')} || ':' || {part(3, '00')} || '.' || {fraction}"
    local = f"TRY_CAST({part(1, '')} || ' ' || {clock} AS TIMESTAMP)"
    minutes = f"(CAST({part(6, '0')} AS BIGINT) * 60 + CAST({part(7, '0')} AS BIGINT))"
    offset = f"to_minutes(CASE {part(5, '+')} WHEN '-' THEN -{minutes} ELSE {minutes} END)"
    written = f"CASE WHEN regexp_matches({text}, '{_TEXT}') THEN {local} - {offset} END"
    digits = f"TRY_CAST(CASE WHEN regexp_matches({text}, '{_DIGITS}') THEN {text} END AS BIGINT)"
    first, last = "TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999999'"
    within = f"CASE WHEN ({written}) BETWEEN {first} AND {last} THEN {written} END"
    return f"coalesce({within}, {_epoch(digits)})"
