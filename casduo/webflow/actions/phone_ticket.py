"""Actions that prove a login at a phone as every application's is proved: by a service ticket that is validated."""

from __future__ import annotations

from typing import Literal

from casduo.errors import BadRequest
from casduo.events.journal import Journal
from casduo.events.model import TicketValidated, ValidationRefused
from casduo.protocol.errors import ProtocolError
from casduo.protocol.parameters import Parameters
from casduo.protocol.validation import Validator, read_request
from casduo.services.index import RegistrySource
from casduo.tickets.registry import TicketRegistry
from casduo.webflow.context import Context


def validate(
    context: Context, validator: Validator, services: RegistrySource, tickets: TicketRegistry, journal: Journal
) -> Literal["valid", "invalid"]:
    """Validate the ticket that was granted for this phone, by the same call as ``/p3/serviceValidate``, and give up the
    session it was granted on: at a phone nothing else stands on it.

    Access, Duo and freshness are judged once more here, so that no way through the flow can lead past them.
    """
    inbound, registry, opened = context.inbound, services.current(), context.opened
    assert opened is not None
    asked = Parameters({"service": context.scope.service, "ticket": context.ticket})
    try:
        request = read_request(asked, registry, "cas3")
        validator.validate(request, registry, inbound.now)
    except (ProtocolError, BadRequest) as error:
        why = error.why if isinstance(error, ProtocolError) else error.reason
        journal.write(ValidationRefused(context.subject, code=error.code, why=why, protocol="phone"))
        return "invalid"
    else:
        journal.write(TicketValidated(context.subject, ticket=request.ticket.masked, protocol="phone"))
        return "valid"
    finally:
        context.ticket, context.set_cookie, context.scope.session = "", None, ""
        tickets.drop_session(context.batch, context.scope.principal_id, opened.id.name)
        context.opened = context.session = None
