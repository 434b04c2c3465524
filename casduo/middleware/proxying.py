"""Acting as a proxy: takes proxy-granting tickets from the CAS server, and buys proxy tickets with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from werkzeug.wrappers import Response

from casduo.middleware.answers import Answers, logger
from casduo.middleware.client import CasClient
from casduo.middleware.errors import InvalidCallback, ProxyRefused, StoreUnavailable
from casduo.middleware.forms import content_length, is_form
from casduo.middleware.grants import GrantStore
from casduo.middleware.response import Failure
from casduo.middleware.session import Session
from casduo.middleware.tickets import is_iou, is_proxy_granting_ticket, shown

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_MAX_BYTES: Final = 4096
"""Longest query and longest form that are looked at; real ones have some 200 bytes."""

_METHODS: Final = ("GET", "HEAD", "POST")


class Proxy:
    """Buys proxy tickets in one person's name: ``environ["casduo.proxy"]``. May be kept while the session lives.

    :param client: asks the CAS server.
    :param session: the person's.
    """

    __slots__ = ("_client", "_pgt", "_user")

    def __init__(self, client: CasClient, session: Session) -> None:
        self._client = client
        self._pgt = session.pgt
        self._user = session.user

    def proxy_ticket(self, target_service: str) -> str:
        """Return a new proxy ticket (CAS Protocol 3.0, 2.7), good once and for a few seconds. Asks the CAS server.

        :param target_service: the address that will be called with ``ticket=`` in its query, without that parameter.
        :raises ProxyRefused: the CAS server gives none, or this session has nothing to buy one with.
        :raises CasUnavailable: there was no proper answer in time.
        :raises InvalidResponse: there was one, and it may not be believed.
        """
        if self._pgt is None:
            raise ProxyRefused("NO_PROXY_GRANTING_TICKET")
        answer = self._client.proxy_ticket(self._pgt, target_service)
        if isinstance(answer, Failure):
            logger.warning("proxy ticket refused user=%s pgt=%s code=%s", self._user, shown(self._pgt), answer.code)
            raise ProxyRefused(answer.code)
        logger.info("proxy ticket user=%s pgt=%s ticket=%s", self._user, shown(self._pgt), shown(answer))
        return answer


class Callback:
    """Answers the address that is given to the CAS server as ``pgtUrl`` (CAS Protocol 3.0, 2.5.4).

    Anybody can call it. A stranger can leave things there, which no validation will ever name.

    :param path: the address' path, or ``None`` for no callback.
    :param grants: where the tickets wait; ``None`` together with ``path``.
    :param answers: makes the responses.
    """

    def __init__(self, path: str | None, grants: GrantStore | None, answers: Answers) -> None:
        self._path = path
        self._grants = grants
        self._answers = answers

    def answer(self, environ: WSGIEnvironment, now: float) -> Response | None:
        """Keep the ticket that a call brings and say 200, also to a call that brings none: some servers try first.

        :return: ``None`` if the request is for another address.
        """
        served = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        if self._grants is None or served != self._path:
            return None
        if environ["REQUEST_METHOD"] not in _METHODS:
            refusal = self._answers.text(405)
            refusal.headers["Allow"] = ", ".join(_METHODS)
            return refusal
        try:
            self._keep(self._grants, _fields(environ), now)
        except InvalidCallback as error:
            logger.warning("proxy callback refused: %s", error.reason)
            return self._answers.text(400, f"{error.reason}\n")
        except StoreUnavailable as error:
            logger.error("proxy callback failed: store unavailable: %s", error.reason)
            return self._answers.text(503)
        return self._answers.text(200)

    def _keep(self, grants: GrantStore, fields: dict[str, str], now: float) -> None:
        pgt, iou = fields.get("pgtId"), fields.get("pgtIou")
        if pgt is None or iou is None:
            return
        if not is_proxy_granting_ticket(pgt) or not is_iou(iou):
            raise InvalidCallback("pgtId or pgtIou is not what it should be")
        grants.put(iou, pgt, now)
        logger.info("proxy-granting ticket received pgt=%s", shown(pgt))


def _fields(environ: WSGIEnvironment) -> dict[str, str]:
    query, form = str(environ.get("QUERY_STRING", "")), ""
    if environ["REQUEST_METHOD"] == "HEAD":
        return {}
    if environ["REQUEST_METHOD"] == "POST" and is_form(environ):
        length = content_length(environ)
        if length > _MAX_BYTES:
            raise InvalidCallback("longer than 4 KiB")
        form = environ["wsgi.input"].read(length).decode("latin-1") if length > 0 else ""
    if len(query) > _MAX_BYTES:
        raise InvalidCallback("longer than 4 KiB")
    try:
        pairs = [pair for text in (query, form) for pair in parse_qsl(text, max_num_fields=20)]
    except ValueError:
        raise InvalidCallback("more than 20 fields") from None
    fields = dict(pairs)
    if any(fields[name] != value for name, value in pairs):
        raise InvalidCallback("a field with two values")
    return fields
