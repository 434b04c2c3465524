"""Examines a UCM as casduo meets it: each node's address, certificate, services, and what the application users may do.

Nothing is changed. Whether a login may be ended or a PIN be checked shows by naming a phone or a user that cannot
exist. A node that refuses name or password counts that, and so would the next: the others are then left alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from casduo.clock import Clock
from casduo.diagnosis.certificates import SettingNames, judge_ucm_certificate
from casduo.diagnosis.hosts import Examination, examine_network, no_tls
from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.network import Way
from casduo.diagnosis.ucm_refusals import (
    Failure,
    Interface,
    axl_of,
    em_of,
    explain,
    refuses_account,
    ris_of,
    wrong_version,
)
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.budget import Budget
from casduo.outbound.tls import Authorities, Destination, Verdict, shown_by, verdict_on
from casduo.settings import Settings
from casduo.settings.ucm import UcmAccount, UcmSettings
from casduo.ucm.build import node_terms
from casduo.ucm.emapi import EmApiLogins
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.interfaces import PhoneLogins
from casduo.ucm.nodes import Nodes, NodeTerms

if TYPE_CHECKING:
    from casduo.ucm.axl_client import AxlClient

_NO_PHONE = "CASDUO-DOCTOR"
"""A name that no phone has: theirs begin with letters for their kind."""
_NO_PIN = "0000000000"

VERSIONS = ("15.0", "14.0", "12.5", "12.0", "11.5", "11.0", "10.5")
"""Of AXL, the newest first."""


def examine_ucm(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """Examine every node that the section ``ucm`` names, in its order; nothing where there is no such section."""
    if settings.ucm is not None:
        yield from _Examiner(settings, settings.ucm, clock).findings()


@dataclass(frozen=True, slots=True)
class _Asked:
    """An interface, who is asked over it, and how one node of those is examined."""

    interface: Interface
    account: UcmAccount
    examine: Callable[[Part, str, Interface, UcmAccount], Iterator[Finding]]


class _Examiner:
    """One run through all nodes. ``_refused`` holds the names of accounts that a node has refused."""

    def __init__(self, settings: Settings, ucm: UcmSettings, clock: Clock) -> None:
        self._ucm = ucm
        self._clock = clock
        self._terms = node_terms(settings, ucm)
        self._ca_setting = "ucm.ca_file" if self._terms.extra_ca_file is None else "outbound.ca_file"
        self._refused: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """Examine."""
        asked = tuple(self._asked())
        for server in dict.fromkeys(server for each in asked for server in each.account.servers):
            part = Part(f"UCM node {server}", {"node": server})
            here = [each for each in asked if server in each.account.servers]
            way = _way(server, f"{here[0].interface.section}.servers", self._terms)
            if (yield from examine_network(part, way)) and (yield from self._examine_certificate(part, way)):
                for each in here:
                    yield from self._examine(part, server, each)

    def _asked(self) -> Iterator[_Asked]:
        axl, em, ris = self._ucm.axl, self._ucm.em, self._ucm.ris
        yield _Asked(axl_of("ucm.axl", axl.username, writes=em is None), axl, self._examine_axl)
        if em is not None:
            yield _Asked(em_of("ucm.em", em.username), em, self._examine_em)
        if ris is not None:
            yield _Asked(ris_of("ucm.ris", ris.username), ris, self._examine_ris)

    def _examine(self, part: Part, server: str, asked: _Asked) -> Iterator[Finding]:
        interface, account = asked.interface, asked.account
        if account.username not in self._refused:
            yield from asked.examine(part, server, interface, account)
            return
        cause = f"{account.username} has been refused already; each further try brings it nearer to being locked"
        yield part.attention(interface.name, "was not asked", "not_examined", cause, "correct that first")

    def _examine_certificate(self, part: Part, way: Way) -> Examination:
        own, extra = self._terms.ca_file, self._terms.extra_ca_file
        trusted = Authorities(tuple(filter(None, (own, extra))), system=own is None)
        try:
            verdict = verdict_on(way.destination, trusted)
            chain = shown_by(way.destination)
        except UpstreamMisconfigured:
            cause = f"{own or extra} is missing, damaged, or holds something else than certificates"
            yield part.fault("certificate", "cannot be verified", "ca_file", cause, f"correct {self._ca_setting}")
            return False
        except UpstreamUnavailable as failure:
            yield no_tls(part, way, failure.detail)
            return False
        names = SettingNames(way.host_setting, "ucm.ca_file")
        yield judge_ucm_certificate(part, way.destination.host, chain, verdict, self._clock(), names)
        return verdict is Verdict.TRUSTED

    # -- AXL ---------------------------------------------------------------------------------------------------------

    def _examine_axl(self, part: Part, server: str, interface: Interface, axl: UcmAccount) -> Iterator[Finding]:
        # zeep takes a fifth of a second to import: only for those who have a UCM.
        from casduo.ucm.axl import AxlDirectory, AxlLogins

        ucm = self._ucm
        with closing(Nodes("axl", (server,), self._terms, self._clock)) as nodes:
            try:
                client = self._client(nodes, ucm.version, ucm.wsdl)
            except UcmMisconfigured as failure:
                yield _unusable_schema(part, ucm, failure.detail)
                return
            try:
                release = client.version(self._budget())
            except (UcmUnavailable, UcmBusy, UcmMisconfigured) as failure:
                if failure.detail == "version":
                    yield wrong_version(ucm.version, self._newest(nodes)).finding(part, interface.name)
                else:
                    yield self._explained(part, interface.name, interface, failure)
                return
            found = f"takes {axl.username}; UCM {release}, asked by version {ucm.version} of AXL"
            yield part.ok(interface.name, found, release=release, version=ucm.version)
            directory = AxlDirectory(client)
            yield self._examine_right(
                part, "PINs", interface, lambda: directory.check_pin(_stranger(), _NO_PIN, self._budget())
            )
            if ucm.em is None:
                yield self._examine_logins(part, interface, AxlLogins(client))

    def _client(self, nodes: Nodes, version: str, wsdl: Path | None = None) -> AxlClient:
        from casduo.ucm.axl_client import AxlClient
        from casduo.ucm.schema import AxlSchema

        axl = self._ucm.axl
        return AxlClient(nodes, axl.username, axl.password.get_secret_value(), AxlSchema(version, wsdl))

    def _newest(self, nodes: Nodes) -> str:
        """Return the newest version of AXL that a node offers, as far as casduo knows versions; empty for none."""
        for version in VERSIONS:
            try:
                self._client(nodes, version).version(self._budget())
            except (UcmUnavailable, UcmBusy):
                return ""
            except UcmMisconfigured:
                continue
            return version
        return ""

    # -- the other interfaces ----------------------------------------------------------------------------------------

    def _examine_em(self, part: Part, server: str, interface: Interface, em: UcmAccount) -> Iterator[Finding]:
        with closing(Nodes("em", (server,), self._terms, self._clock)) as nodes:
            logins = EmApiLogins(nodes, em.username, em.password.get_secret_value())
            asked = self._examine_right(
                part, interface.name, interface, lambda: logins.state(_NO_PHONE, self._budget())
            )
            yield asked
            if asked.level == "ok":
                yield self._examine_logins(part, interface, logins)

    def _examine_ris(self, part: Part, server: str, interface: Interface, ris: UcmAccount) -> Iterator[Finding]:
        from casduo.ucm.axl import AxlDirectory
        from casduo.ucm.ris import RegisteredPhones

        with closing(Nodes("ris", (server,), self._terms, self._clock)) as nodes:
            # Which phones there are, is not asked: nothing goes over AXL.
            directory = AxlDirectory(self._client(nodes, self._ucm.version))
            phones = RegisteredPhones(directory, nodes, ris.username, ris.password.get_secret_value())
            yield self._examine_right(
                part, interface.name, interface, lambda: phones.registrations([_NO_PHONE], self._budget())
            )

    # -- all of them -------------------------------------------------------------------------------------------------

    def _examine_logins(self, part: Part, interface: Interface, logins: PhoneLogins) -> Finding:
        return self._examine_right(part, "logins", interface, lambda: logins.log_out(_NO_PHONE, self._budget()))

    def _examine_right(self, part: Part, examined: str, interface: Interface, call: Callable[[], object]) -> Finding:
        """Say whether a call is allowed, by one about something that does not exist."""
        try:
            call()
        except UcmRefused:
            # Whoever may not make the call is not told that there is no such thing.
            pass
        except (UcmUnavailable, UcmBusy, UcmMisconfigured) as failure:
            return self._explained(part, examined, interface, failure)
        return part.ok(examined, f"the UCM lets {interface.username} do that")

    def _explained(self, part: Part, examined: str, interface: Interface, failure: Failure) -> Finding:
        if refuses_account(failure):
            self._refused.add(interface.username)
        return explain(failure, interface).finding(part, examined)

    def _budget(self) -> Budget:
        return Budget(self._terms.longest)


def _way(server: str, setting: str, terms: NodeTerms) -> Way:
    place = urlsplit(f"https://{server}")
    # The settings see to it that both are there.
    assert place.hostname is not None
    assert place.port is not None
    return Way(Destination(place.hostname, place.port, terms.connect_timeout, terms.read_timeout), setting)


def _stranger() -> str:
    return f"casduo-doctor-{secrets.token_hex(8)}"


def _unusable_schema(part: Part, ucm: UcmSettings, detail: str) -> Finding:
    causes = {
        "wsdl_unreadable": "it or AXLSoap.xsd beside it is missing, damaged, or may not be read by this user",
        "wsdl_version": f"it is for another version than {ucm.version}",
        "wsdl_incomplete": "it lacks operations that casduo needs",
    }
    remedy = "put both there as the UCM gives them out (Application, Plugins, Cisco AXL Toolkit), or take out ucm.wsdl"
    return part.fault("AXL", f"{ucm.wsdl} cannot be used", detail, causes[detail], remedy)
