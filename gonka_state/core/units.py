"""Sizes, spans of time and moments, written and read as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB")
_FACTORS = {
    "": 1,
    "k": 1000,
    "m": 1000**2,
    "g": 1000**3,
    "t": 1000**4,
    "p": 1000**5,
    "ki": 1024,
    "mi": 1024**2,
    "gi": 1024**3,
    "ti": 1024**4,
    "pi": 1024**5,
}
MINUTE, HOUR, DAY = 60, 3600, 86400
"""Seconds."""
_SECONDS = {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_SIZE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]i?|)b?\s*", re.IGNORECASE)


def human_bytes(count: float) -> str:
    """A size in SI units with one decimal, as the model hub shows it: `33.1 GB`, `512 B`."""
    value, step = float(count), 0
    # 999.95 would be shown as 1000.0 of this unit.
    while abs(value) >= 999.95 and step < len(_DECIMAL) - 1:  # noqa: PLR2004 (the line above)
        value, step = value / 1000, step + 1
    return f"{value:.1f} {_DECIMAL[step]}" if step else f"{value:.0f} {_DECIMAL[0]}"


def human_duration(seconds: float) -> str:
    """`42 s`, `12 min`, `3 h 20 min`; `0 s` where one clock runs before the other."""
    seconds = max(0, seconds)
    if seconds < 100:  # noqa: PLR2004 (below, seconds are what people count in)
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 (as above)


def human_age(seconds: float) -> str:
    """As a duration; what is two days old or more in days and hours."""
    if seconds < 2 * DAY:
        return human_duration(seconds)
    days, hours = divmod(round(seconds / HOUR), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def parse_duration(text: str) -> int:
    """Seconds from `90s`, `5m`, `2h`, `7d` or `2w`.

    Raises:
        ValueError: the text is none of these.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no span of time: expected for example 90s, 5m, 2h, 7d or 2w")
    return int(match[1]) * _SECONDS[match[2]]


def parse_since(text: str, now: float) -> float:
    """The moment that `7d` lies before `now`, or that `2026-11-01` begins; in seconds since 1970.

    What has no offset is UTC.

    Raises:
        ValueError: it is neither a span of time nor a date or time.
    """
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        return _moment(text).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no span of time such as 7d, and no date such as 2026-11-01") from None


def show_moment(seconds: float) -> str:
    """A moment given in seconds since 1970, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M} UTC"


def iso_moment(seconds: float) -> str:
    """A moment given in seconds since 1970, for programs."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def parse_size(text: str) -> int:
    """Bytes from `500GiB`, `33.1 GB`, `2T` or `1024`; `k` to `P` are powers of 1000, with `i` of 1024.

    Raises:
        ValueError: the text is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no size: expected for example 500GiB, 33.1 GB or 1024")
    number, unit = match.groups()
    whole, _, fraction = number.partition(".")
    # In integers: a float loses bytes above 9 PB.
    scale: int = 10 ** len(fraction)
    return int(whole + fraction) * _FACTORS[unit.lower()] // scale


def parse_until(text: str) -> datetime:
    """The moment at which something that lasts `until` a date or time is over: a date counts whole.

    What has no offset is UTC.

    Raises:
        ValueError: it is neither.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return _moment(text)
    try:
        return datetime.combine(day + timedelta(days=1), time(), UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is too far away") from error


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no date such as 2026-12-01, and no time such as 2026-12-01T18:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
