"""Checks of users' tables: each column is converted to its type, and every row that cannot be is named.

Nothing here raises: problems are collected in `Findings`, so that users see all of them at once. Checks are vectorised;
a column costs one pass and one mask of bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import polars as pl

from .problems import Findings
from .schema import DEFAULT_EVENT, Column

TimeUnit = Literal["s", "ms", "us"]
_PER_SECOND: dict[str, int] = {"s": 1, "ms": 1_000, "us": 1_000_000}
_UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_TIME_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d", "%Y-%m-%d %H:%M")
_ZONED = "%Y-%m-%d %H:%M:%S%.f%#z"


@dataclass(frozen=True)
class Clock:
    """How times are judged.

    Attributes:
        unit: unit of whole-number timestamps; None refuses them.
        now: naive UTC; later rows are in the future.
    """

    unit: TimeUnit | None
    now: datetime

    @classmethod
    def ticking(cls, unit: TimeUnit | None) -> Clock:
        """A clock at the present; a day is allowed for zones that were dropped."""
        return cls(unit, datetime.now(UTC).replace(tzinfo=None) + timedelta(days=1))


def convert(spec: Column, raw: pl.Series, findings: Findings, clock: Clock) -> pl.Series | None:
    """The values of one column in its own type.

    Args:
        spec: what the column should be.
        raw: (n,) what the user brought.
        findings: takes the faults.
        clock: for columns of times.

    Returns:
        (n,) String (id, text), Float32, Int32 or Datetime[us], null in faulty rows; None when the whole column is
        wrong.
    """
    if raw.dtype == pl.Null:
        raw = raw.cast(pl.String)
    if spec.kind == "time":
        return _times(spec, raw, findings, clock)
    if spec.kind in ("number", "whole"):
        return _numbers(spec, raw, findings)
    return _texts(spec, raw, findings)


def _wrong_type(spec: Column, raw: pl.Series, findings: Findings) -> None:
    some = raw.drop_nulls().head(1).to_list()
    shown = f", for example {some[0]!r}" if some else ""
    findings.whole(spec.name, f"its type is {raw.dtype}{shown}; {spec.allowed}. Convert the column.")


def _texts(spec: Column, raw: pl.Series, findings: Findings) -> pl.Series | None:
    is_text = raw.dtype == pl.String or isinstance(raw.dtype, (pl.Categorical, pl.Enum))
    plain = raw.dtype.is_integer() or (spec.kind == "text" and (raw.dtype.is_numeric() or raw.dtype == pl.Boolean))
    if not (is_text or plain):
        _wrong_type(spec, raw, findings)
        return None
    text = raw.cast(pl.String)
    if spec.kind == "text":
        return text
    if spec.name == "event":
        return text.set(_empty(text), DEFAULT_EVENT)
    empty = _empty(text)
    findings.rows(spec.name, empty, None, "empty", spec.allowed)
    return text


def _empty(text: pl.Series) -> pl.Series:
    return text.is_null() | (text == "").fill_null(False)


def _numbers(spec: Column, raw: pl.Series, findings: Findings) -> pl.Series | None:
    target: type[pl.DataType] = pl.Int32 if spec.kind == "whole" else pl.Float32
    given = raw.is_not_null()
    if raw.dtype == pl.String:
        text = raw.str.strip_chars()
        given = given & (text != "")
        number = text.cast(pl.Float64, strict=False)
    elif raw.dtype.is_numeric():
        number = raw if raw.dtype.is_float() or spec.kind == "whole" else raw.cast(pl.Float64)
    else:
        _wrong_type(spec, raw, findings)
        return None
    if spec.kind == "whole" and number.dtype.is_float():
        number = number.set(number != number.floor(), None)
    out = number.cast(target, strict=False)
    kind = "a whole number" if spec.kind == "whole" else "a number"
    findings.rows(spec.name, given & out.is_null(), raw, f"not {kind}", spec.allowed)
    if spec.kind == "number":
        findings.rows(spec.name, ~out.is_finite(), raw, "not finite", spec.allowed)
    if spec.low is not None:
        low = (out <= spec.low) if spec.above else (out < spec.low)
        what = "negative" if spec.low == 0 and not spec.above else "too small"
        findings.rows(spec.name, low & (out.is_finite() if target == pl.Float32 else True), raw, what, spec.allowed)
    if spec.high is not None:
        findings.rows(spec.name, (out > spec.high) & out.is_finite(), raw, "too large", spec.allowed)
    return out


def _times(spec: Column, raw: pl.Series, findings: Findings, clock: Clock) -> pl.Series | None:
    if raw.dtype == pl.String:
        text = raw.str.strip_chars()
        text = text.set(text == "", None)
        if _mostly_digits(text):
            return _epochs(spec, text, findings, clock)
        times = _parse(text)
        findings.rows(spec.name, text.is_not_null() & times.is_null(), raw, "not a time", spec.allowed)
    elif raw.dtype.is_numeric():
        return _epochs(spec, raw, findings, clock)
    elif isinstance(raw.dtype, pl.Datetime) and raw.dtype.time_zone is not None:
        times = raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
    elif raw.dtype == pl.Date or isinstance(raw.dtype, pl.Datetime):
        times = raw.cast(pl.Datetime("us"))
    else:
        _wrong_type(spec, raw, findings)
        return None
    _refuse_future(spec, times, findings, clock)
    return times


def _refuse_future(spec: Column, times: pl.Series, findings: Findings, clock: Clock) -> None:
    allowed = f"times up to {clock.now:%Y-%m-%d} are allowed; check the clock, the time zone and the unit"
    findings.rows(spec.name, times > clock.now, times, "in the future", allowed)


def _mostly_digits(text: pl.Series) -> bool:
    some = text.drop_nulls().head(1000)
    return len(some) > 0 and bool(some.str.contains(r"^-?\d+(\.\d*)?$").mean() > 0.5)  # type: ignore[operator]


def _parse(text: pl.Series) -> pl.Series:
    """ISO 8601 in its usual spellings; zoned times become UTC."""
    plain = text.str.replace(r"^(\d{4}-\d\d-\d\d)[Tt]", "$1 ")
    times = pl.repeat(None, len(text), dtype=pl.Datetime("us"), eager=True)
    for pattern in (*_TIME_FORMATS, _ZONED):
        if (times.is_null() & plain.is_not_null()).any():
            found = plain.str.to_datetime(pattern, time_unit="us", strict=False)
            if pattern == _ZONED:
                found = found.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            times = times.zip_with(times.is_not_null(), found)
    return times


def _epochs(spec: Column, raw: pl.Series, findings: Findings, clock: Clock) -> pl.Series | None:
    number = raw.cast(pl.Float64, strict=False)
    if number.null_count() == len(raw) == raw.null_count():
        return number.cast(pl.Datetime("us"))
    looks = guess_unit(number)
    if clock.unit is None or (looks is not None and looks != clock.unit):
        findings.whole(spec.name, _about_unit(number, looks, clock.unit))
        return None
    factor = 1_000_000 // _PER_SECOND[clock.unit]
    # Doubles hold microseconds exactly until the year 2255.
    times = (number * factor).round().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    findings.rows(spec.name, raw.is_not_null() & times.is_null(), raw, "not a time", spec.allowed)
    _refuse_future(spec, times, findings, clock)
    return times


def guess_unit(number: pl.Series) -> str | None:
    """``s``, ``ms``, ``us`` or ``ns`` when the middle value fits one of them since 1973, else None."""
    middle = number.drop_nulls().drop_nans().abs().median()
    size = float(middle) if isinstance(middle, (int, float)) else 0.0
    for unit, low in (("ns", 1e17), ("us", 1e14), ("ms", 1e11), ("s", 1e8)):
        if size >= low:
            return unit
    return None


def _about_unit(number: pl.Series, looks: str | None, asked: str | None) -> str:
    got = f"whole numbers such as {number.drop_nulls()[0]:.0f}"
    dates = "give dates such as 2017-12-31T23:59:59"
    if looks is None:
        return f"holds {got}, which are no time since 1970 in any unit; {dates}."
    if looks == "ns":
        return f'holds {got}, which look like nanoseconds since 1970; divide by 1000 and pass time_unit="us".'
    fix = f'pass time_unit="{looks}"'
    if asked is None:
        return f"holds {got}, which look like {_UNIT_NAMES[looks]} since 1970; {fix}, or {dates}."
    return f'time_unit="{asked}" was given, but {got} look like {_UNIT_NAMES[looks]} since 1970; {fix}.'
