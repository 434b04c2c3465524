"""The address at which applications validate tickets by SAML 1.1 (CAS protocol 2.8 and appendix C)."""

from __future__ import annotations

from casduo.endpoints.base import Server
from casduo.endpoints.validation import note_failure, validated_ticket
from casduo.errors import BadRequest
from casduo.protocol import saml1
from casduo.protocol.errors import ProtocolError
from casduo.protocol.validation import read_saml_request
from casduo.request import Request
from casduo.web import Reply


def saml_validate(server: Server, request: Request) -> Reply:
    """``/samlValidate``: the ticket in a SOAP envelope, the service as ``TARGET`` in the query."""
    request_id = service = ticket = ""
    try:
        parameters = request.query_parameters
        service = parameters.get("TARGET", "")
        message = saml1.parse_saml_request(request.raw_body(saml1.MAX_REQUEST))
        request_id, ticket = message.request_id, message.artifact
        asked = read_saml_request(parameters, message.artifact, server.parts.services.current())
        validated = validated_ticket(server, request, asked)
    except (ProtocolError, BadRequest) as error:
        failure = note_failure(server, request, error, service, ticket)
        return _answer(server, saml1.saml_failure(failure, request_id=request_id, now=request.now))
    issuer = f"{request.origin}{server.web.site.base}"
    return _answer(
        server,
        saml1.saml_success(validated, recipient=service, request_id=request_id, issuer=issuer, now=request.now),
    )


def refuse(server: Server, request: Request, failure: ProtocolError) -> Reply:
    """Tell a fault of ours."""
    return _answer(server, saml1.saml_failure(failure, request_id="", now=request.now))


def _answer(server: Server, body: bytes) -> Reply:
    return server.web.machine(body, saml1.SAML_TYPE)
