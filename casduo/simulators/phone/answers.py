"""Judges an HTTP answer: status, headers, encoding and object, before anything is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message

from casduo.simulators.phone.errors import HTTP_PROBLEM, Refusal, invalid
from casduo.simulators.phone.exchange import Answer
from casduo.simulators.phone.markup import parse_document
from casduo.simulators.phone.objects import Displayable, Execution
from casduo.simulators.phone.presets import Preset
from casduo.simulators.phone.reader import read_object
from casduo.simulators.phone.uris import check_url

Remark = Callable[[str], None]

SHORTEST_REFRESH = 2
"""Seconds; a shorter period is a violation."""

_REFRESH = re.compile(r"\s*([0-9]*)\s*(?:;\s*url\s*=\s*(\S+))?\s*", re.IGNORECASE)
_TERSE = {404: "File Not Found", 503: "Server Busy"}
_HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_EPOCH_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Refresh:
    """What a Refresh header asks for.

    :param seconds: after how long; 0 waits for the key Update or Next.
    :param url: what to fetch; empty is the page itself.
    """

    seconds: int
    url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Content:
    """An answer that a phone takes.

    :param charset: the encoding the answer came in, in which values of its form go back.
    :param expired: the page is not kept in the URL stack.
    """

    object: Displayable | Execution
    charset: str
    refresh: Refresh | None
    expired: bool


def read_answer(answer: Answer, preset: Preset, now: float, prepare: Callable[[str], str], remark: Remark) -> Content:
    """Turn an answer into what it brings.

    :param now: the phone's time in epoch seconds.
    :param prepare: applied to the decoded document before it is parsed.
    :param remark: takes violations that do not keep the page from being shown.
    :raises Refusal: with what the prompt line says.
    """
    _check_status(answer.status, preset)
    if answer.header("Content-Encoding"):
        raise invalid(f"the answer is encoded ({answer.header('Content-Encoding')})")
    if len(answer.body) > preset.max_bytes:
        raise invalid(f"an answer of more than {preset.max_bytes} bytes")
    charset = _charset(answer, preset)
    document = parse_document(prepare(_decoded(answer.body, charset)))
    if document.encoding.lower() != charset:
        raise invalid(f"the XML declaration says {document.encoding}, the Content-Type {charset}")
    found = read_object(document.root, preset, remark)
    refresh = _refresh(answer, remark)
    if isinstance(found, Displayable):
        _check_keys(found, refresh, remark)
    return Content(found, charset, refresh, _expired(answer, preset, now, remark))


def read_pushed(body: str, preset: Preset, remark: Remark) -> Displayable | Execution:
    """Turn a pushed object into a value; it has no headers of its own.

    :raises Refusal: see :func:`~casduo.simulators.phone.reader.read_object`.
    """
    return read_object(parse_document(body).root, preset, remark)


def _check_status(status: int, preset: Preset) -> None:
    if status == 200:
        return
    said = _TERSE.get(status, HTTP_PROBLEM) if preset.terse else HTTP_PROBLEM
    if 300 <= status < 400:
        raise Refusal(said, f"a redirect ({status}), which phones do not follow")
    raise Refusal(said, f"the status {status}")


def _charset(answer: Answer, preset: Preset) -> str:
    message = Message()
    message["Content-Type"] = answer.header("Content-Type")
    if not answer.header("Content-Type") or message.get_content_type() != "text/xml":
        raise invalid(f"the Content-Type is not text/xml but {answer.header('Content-Type') or 'missing'}")
    charset = (message.get_content_charset() or "").lower()
    if not charset:
        raise invalid("the Content-Type names no charset")
    if charset not in preset.charsets:
        raise invalid(f"the charset {charset}; {preset.model} takes {' and '.join(sorted(preset.charsets))}")
    return charset


def _decoded(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset)
    except UnicodeDecodeError:
        raise invalid(f"bytes that are not {charset}") from None


def _refresh(answer: Answer, remark: Remark) -> Refresh | None:
    headers = answer.all("Refresh")
    if not headers:
        return None
    if len(headers) > 1:
        remark("more than one Refresh header")
    match = _REFRESH.fullmatch(headers[0])
    if match is None:
        remark("a Refresh header that is not '<seconds>; url=<URL>'")
        return None
    seconds, url = int(match[1] or "0"), match[2] or ""
    if 0 < seconds < SHORTEST_REFRESH:
        remark(f"a Refresh after {seconds} second")
    if url:
        try:
            check_url(url, "the Refresh header", remark)
        except Refusal as refusal:
            remark(str(refusal))
            return None
    return Refresh(seconds, url)


def _check_keys(page: Displayable, refresh: Refresh | None, remark: Remark) -> None:
    if page.kind == "input" and refresh is not None:
        remark("a Refresh on a form, which loses what was typed")
    if any(key.url == "SoftKey:Next" for key in page.softkeys) and not (refresh and refresh.url):
        remark("a SoftKey:Next without a Refresh header that has a URL")


def _expired(answer: Answer, preset: Preset, now: float, remark: Remark) -> bool:
    text = answer.header("Expires")
    if not text:
        return False
    try:
        moment = datetime.strptime(text, _HTTP_DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        remark("an Expires header that is not an HTTP date")
        return False
    if preset.strict_expires and moment < _EPOCH_DAY:
        remark("an Expires header that does not lie after 1 January 1970")
        return False
    return moment <= now
