"""The kinds of value that people write into settings and registry: durations, addresses, files, moments."""

from __future__ import annotations

import ipaddress
import math
import re
import zoneinfo
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo

from casduo.localtext import LANGUAGE_TAG, LocalText

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_DURATION = 10 * 365 * 86_400.0
"""Seconds. Longer is a slip of the pen (``8h`` in milliseconds), and Redis refuses expiries far beyond it."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,6})?(?:ms|s|m|h|d)\s*)+", re.ASCII)
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", re.ASCII)
_SECONDS = re.compile(r"\d{1,12}(?:\.\d{1,6})?", re.ASCII)


class Section(BaseModel):
    """Base of everything read from a file: unknown keys are refused, values do not change afterwards.

    The input never appears in pydantic's own error text: it may be a password under a misspelt key.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)


def parse_duration(value: object) -> float:
    """Return the seconds that ``8h``, ``1h30m``, ``500ms``, ``2d`` or a plain number of seconds stand for.

    :raises ValueError: not a duration, not above zero, or longer than ten years
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("must be a duration such as 30s, 15m, 8h or 2d")
    if isinstance(value, str):
        text = value.strip()
        if _SECONDS.fullmatch(text):
            seconds = float(text)
        elif _DURATION.fullmatch(text):
            seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(text))
        else:
            raise ValueError("must be a duration such as 30s, 15m, 8h or 2d")
    else:
        # Compared before the conversion: an integer may be too large for a float.
        seconds = float(value) if value <= LONGEST_DURATION else math.inf
    if not seconds > 0:
        raise ValueError("must be a duration above zero")
    if seconds > LONGEST_DURATION:
        raise ValueError("must be a duration of at most ten years")
    return seconds


def parse_delay(value: object) -> float:
    """Return as :func:`parse_duration` does; 0 and ``0s`` are allowed and stand for not at all.

    :raises ValueError: not a duration, below zero, or longer than ten years
    """
    if not isinstance(value, bool) and (value == 0 or (isinstance(value, str) and value.strip() in ("0", "0s"))):
        return 0.0
    return parse_duration(value)


def format_duration(seconds: float) -> str:
    """Return ``seconds`` as a person would write them: ``8h``, ``1h30m``, ``500ms``."""
    rest = round(seconds * 1000)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        size = round(_UNITS[unit] * 1000)
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def one_or_many(value: object) -> object:
    """Let a single text stand for a list of one."""
    return (value,) if isinstance(value, str) else value


def parse_network(value: object) -> Network:
    """Return an address block such as ``10.0.0.0/8``; a single address is a block of one.

    :raises ValueError: not an address block, or bits are set beyond its length; the sentence then names the block
    """
    if isinstance(value, ipaddress.IPv4Network | ipaddress.IPv6Network):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an address block such as 10.0.0.0/8")
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{shown(value)} is not an address block such as 10.0.0.0/8") from None
    raise ValueError(f"{shown(value)} has bits set beyond its length; did you mean {meant}?")


def parse_moment(value: object, info: ValidationInfo) -> datetime:
    """Return the point in time that a date (its first moment) or a date with time stands for.

    Without an offset it is read in the time zone of the validation context (key ``zone``), else in UTC.

    :raises ValueError: neither a date nor a date with time
    """
    zone: tzinfo = (info.context or {}).get("zone", UTC)
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise ValueError(
                f"{shown(value)} is not a date such as 2026-01-31, nor a date with time such as 2026-01-31T18:00"
            ) from None
    elif isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    if not isinstance(value, datetime):
        raise ValueError("must be a date such as 2026-01-31, or a date with time such as 2026-01-31T18:00")
    moment = value if value.tzinfo else value.replace(tzinfo=zone)
    try:
        moment.timestamp()
    except OverflowError:
        raise ValueError("is too far from the present") from None
    return moment


def zone_of(name: str) -> tzinfo:
    """Return the time zone with the IANA name ``name``.

    :raises ValueError: this machine does not know it
    """
    if name == "UTC":
        # Known without the time zone database, which small containers lack.
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not a time zone that this machine knows, such as Europe/Berlin") from None


def https_url(value: str) -> str:
    """Check that ``value`` is an absolute https address without user name or password.

    :raises ValueError: it is not
    """
    return _web_url(value, {"https"})


def web_url(value: str) -> str:
    """Check that ``value`` is an absolute http or https address without user name or password.

    :raises ValueError: it is not
    """
    return _web_url(value, {"http", "https"})


def _web_url(value: str, schemes: set[str]) -> str:
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a web address") from None
    if parts.scheme not in schemes or not host:
        wanted = " or ".join(f"{scheme}://" for scheme in sorted(schemes, reverse=True))
        raise ValueError(f"must be a web address that starts with {wanted}")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user name or password")
    if re.search(r"[\s\x00-\x1f\x7f\\]", value):
        raise ValueError("must not hold spaces, backslashes or control characters")
    return value


def host_and_port(value: str) -> str:
    """Check that ``value`` is ``host:port``, with brackets around an IPv6 address.

    :raises ValueError: it is not
    """
    split_address(value)
    return value


def split_address(value: str) -> tuple[str, int]:
    """Return host (without brackets) and port of ``host:port``.

    :raises ValueError: not of that form, or the port is not from 1 to 65535
    """
    found = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]/]+):(\d{1,5})", value, re.ASCII)
    if not found or not 0 < int(found[2]) < 65_536:
        raise ValueError("must be an address and a port such as 127.0.0.1:8443")
    return found[1].strip("[]"), int(found[2])


def _line(value: str) -> str:
    text = value.strip()
    if not text:
        raise ValueError("must not be empty")
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", text):
        raise ValueError("must be one line without control characters")
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise ValueError("must hold something that can be seen")
    return text


def parse_local_line(value: object, info: ValidationInfo) -> str:
    """Return a text of one line, or a :class:`LocalText` for texts by language such as ``{en: Payroll, de: Gehalt}``.

    :raises ValueError: neither of them
    """
    if isinstance(value, LocalText):
        return value
    if isinstance(value, str):
        return _line(value)
    if not isinstance(value, dict) or not value:
        raise ValueError("must be a text, or texts by language such as {en: Payroll, de: Gehaltsabrechnung}")
    texts = {}
    for language, text in value.items():
        if not isinstance(language, str) or not LANGUAGE_TAG.fullmatch(language):
            raise ValueError(f"{shown(language)} is not a language tag such as en, de or pt-BR")
        if not isinstance(text, str):
            raise ValueError(f"the text for {language} must be a text")
        try:
            texts[language] = _line(text)
        except ValueError as error:
            raise ValueError(f"the text for {language} {error}") from None
    return LocalText(texts, (info.context or {}).get("language", "en"))


def _resolve(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value).strip() or "\0" in str(value):
        raise ValueError("must be the name of a file or directory")
    base: Path = (info.context or {}).get("base", Path())
    try:
        path = Path(value).expanduser()
    except RuntimeError:
        raise ValueError("names a home directory that is not known") from None
    return base / path


def shown(value: object, limit: int = 60) -> str:
    """Return ``value`` as it may be quoted in a sentence: in quotes, cut to ``limit`` characters."""
    text = str(value)
    return repr(text if len(text) <= limit else f"{text[:limit]}...")


_DurationText = Annotated[str, Field(pattern=r"^\s*(\d+(\.\d+)?|(\d+(\.\d+)?(ms|s|m|h|d)\s*)+)\s*$")]
_Seconds = Annotated[float, Field(gt=0)]
_LocalText = str | dict[str, str]

Duration = Annotated[float, PlainValidator(parse_duration, json_schema_input_type=_DurationText | _Seconds)]
"""Seconds. Written as ``8h``, ``30s``, ``1h30m`` or as a plain number of seconds."""

Delay = Annotated[float, PlainValidator(parse_delay, json_schema_input_type=_DurationText | _Seconds | Literal[0])]
"""Seconds as in a duration; 0 for not at all."""

Line = Annotated[str, AfterValidator(_line)]
"""One line of text, not empty, outer spaces removed."""

Lines = Annotated[tuple[Line, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]
"""A list of lines; a single one may be written without the list."""

LocalLine = Annotated[str, PlainValidator(parse_local_line, json_schema_input_type=_LocalText)]
"""One line of text, or a mapping of languages to lines; then a :class:`LocalText`. Which of them is the site's own
language is said by the validation context (key ``language``)."""

HttpsUrl = Annotated[Line, AfterValidator(https_url)]
WebUrl = Annotated[Line, AfterValidator(web_url)]
Address = Annotated[Line, AfterValidator(host_and_port)]

NetworkBlock = Annotated[Network, PlainValidator(parse_network, json_schema_input_type=str)]
"""A block of addresses, ``10.0.0.0/8`` or ``2001:db8::/32``."""

Moment = Annotated[datetime, PlainValidator(parse_moment, json_schema_input_type=str)]
"""A point in time with its zone, written as a date or a date with time."""

Location = Annotated[Path, PlainValidator(_resolve, json_schema_input_type=str)]
"""A file or directory; relative ones lie beside the file that names them."""
