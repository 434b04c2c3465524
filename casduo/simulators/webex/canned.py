"""The answers of a Webex, or of something before it, that is out of order."""

from __future__ import annotations

from collections.abc import Mapping

from werkzeug.wrappers import Response

from casduo.simulators.webex.faults import AnswerKind

_HTML = "text/html; charset=utf-8"
_JSON = "application/json;charset=UTF-8"
_GATEWAY_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
_GUEST_PAGE = b"<html><body><p>Please log in to the guest network.</p></body></html>"
_HALF_A_MEGABYTE = 512 * 1024

_ANSWERS: Mapping[AnswerKind, tuple[int, str, bytes]] = {
    "bad_gateway_html": (502, _HTML, _GATEWAY_PAGE),
    "html": (200, _HTML, _GUEST_PAGE),
    "empty": (200, _JSON, b""),
    "empty_error": (503, _JSON, b""),
    "cut_json": (200, _JSON, b'{"id": "Y2lzY29zcGFyazovL3VzL01FU1NBR0U'),
    "json_list": (200, _JSON, b'["id", "roomId"]'),
    "json_null": (200, _JSON, b"null"),
    "json_text": (200, _JSON, b'"soon"'),
    "no_members": (200, _JSON, b"{}"),
    "wrong_types": (200, _JSON, b'{"id": 7, "roomId": null, "items": {"id": []}, "emails": "x", "inputs": []}'),
    "latin1": (200, _JSON, '{"id": "Zugang gestört"}'.encode("latin-1")),
    "huge": (200, _JSON, b'{"id": "' + b"x" * _HALF_A_MEGABYTE + b'"}'),
    "redirect": (302, _HTML, b"<p>Elsewhere</p>"),
}


def canned_answer(kind: AnswerKind) -> Response:
    """Return an answer that has nothing to do with the question."""
    status, content_type, body = _ANSWERS[kind]
    response = Response(body, status, content_type=content_type)
    if kind == "redirect":
        response.headers["Location"] = "/elsewhere"
    return response
