"""The UCM of the settings, ready to be asked."""

from __future__ import annotations

from dataclasses import dataclass, replace

from casduo.clock import Clock
from casduo.outbound.breaker import BreakerMemory
from casduo.settings import Settings
from casduo.settings.ucm import UcmAccount, UcmSettings
from casduo.ucm.interfaces import PhoneLogins, PhoneRegistry, UserDirectory
from casduo.ucm.nodes import Node, Nodes, NodeTerms

_RIS_TIMEOUT = 15.0


@dataclass(frozen=True, slots=True)
class Ucm:
    """A UCM: its users, the logins on its phones, and the nodes that are asked about either. ``phones`` is there where
    the settings want to know at which addresses they are registered.
    """

    directory: UserDirectory
    logins: PhoneLogins
    nodes: tuple[Node, ...] = ()
    phones: PhoneRegistry | None = None


def build_ucm(settings: Settings, clock: Clock, memory: BreakerMemory | None = None) -> Ucm | None:
    """Return the UCM that ``settings`` name, None where they name none. Asks nobody.

    :param clock: epoch seconds, for the breakers
    :param memory: what all processes know of outages; None for what this one knows
    :raises UcmMisconfigured: a file of authorities or a schema cannot be used
    """
    if settings.ucm is None:
        return None
    # zeep takes a fifth of a second and 10 MB: only for those who have a UCM.
    from casduo.ucm.axl import AxlDirectory, AxlLogins
    from casduo.ucm.axl_client import AxlClient
    from casduo.ucm.completed import CompletedLogins
    from casduo.ucm.emapi import EmApiLogins
    from casduo.ucm.ris import LARGEST_ANSWER, RegisteredPhones
    from casduo.ucm.schema import AxlSchema

    ucm = settings.ucm
    terms = node_terms(settings, ucm)

    def nodes(name: str, account: UcmAccount, terms: NodeTerms = terms) -> Nodes:
        return Nodes(name, account.servers, terms, clock, memory)

    schema, axl = AxlSchema(ucm.version, ucm.wsdl), nodes("axl", ucm.axl)
    client = AxlClient(axl, ucm.axl.username, ucm.axl.password.get_secret_value(), schema)
    found = Ucm(AxlDirectory(client), AxlLogins(client), axl.nodes)
    if ucm.em is not None:
        em = nodes("em", ucm.em)
        api = EmApiLogins(em, ucm.em.username, ucm.em.password.get_secret_value())
        found = replace(found, logins=CompletedLogins(api, found.logins), nodes=(*found.nodes, *em.nodes))
    if ucm.ris is not None and settings.phones.registered_address == "require":
        # Nobody waits for these answers, and they are large.
        patient = replace(terms, read_timeout=max(terms.read_timeout, _RIS_TIMEOUT), largest_answer=LARGEST_ANSWER)
        ris = nodes("ris", ucm.ris, patient)
        phones = RegisteredPhones(AxlDirectory(client), ris, ucm.ris.username, ucm.ris.password.get_secret_value())
        found = replace(found, phones=phones, nodes=(*found.nodes, *ris.nodes))
    return found


def node_terms(settings: Settings, ucm: UcmSettings) -> NodeTerms:
    """Return how the nodes of a UCM are talked to.

    :param ucm: the section of ``settings``
    """
    extra = settings.outbound.ca_file if ucm.ca_file is None else None
    return NodeTerms(
        connect_timeout=ucm.connect_timeout,
        read_timeout=ucm.read_timeout,
        max_in_flight=ucm.max_in_flight,
        pause=ucm.pause,
        # At a change of shift many come at once. Who finds no place in this time is asked again by the phone's page.
        patience=ucm.budget / 4,
        ca_file=str(ucm.ca_file) if ucm.ca_file else None,
        extra_ca_file=str(extra) if extra else None,
    )
