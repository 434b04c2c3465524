"""Writes AXL requests by a schema: zeep puts elements into their order, and that is all it does here.

The schema is the small one beside this module, or the one of an administrator's UCM. Nothing is loaded over the
network, and zeep neither sends nor reads: it would lose what follows an unknown element, and hand on ``false`` as a
text, which Python takes for true.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import zeep
from lxml import etree  # type: ignore[import-untyped]

from casduo.ucm.errors import UcmMisconfigured

OPERATIONS = (
    "doAuthenticateUser",
    "getUser",
    "getPhone",
    "listPhone",
    "getDeviceProfile",
    "listDeviceProfile",
    "doDeviceLogin",
    "doDeviceLogout",
    "getCCMVersion",
    "executeSQLQuery",
)
"""What the built-in schema describes, and an administrator's has to."""

_OWN = Path(__file__).with_name("axl.wsdl")
_SETTINGS = zeep.Settings(forbid_dtd=True, forbid_entities=True, forbid_external=True)
_UPSTREAM = "ucm schema"


@dataclass(frozen=True, slots=True)
class AxlRequest:
    """A request ready to be sent. ``action`` is the value of the header SOAPAction, quotes included."""

    operation: str
    action: str
    body: bytes = field(repr=False)


class AxlSchema:
    """Writes requests for one version of AXL. Safe to share by threads; meant to be made before a process forks.

    :param version: of the schema, such as ``14.0``. It stands in the namespace and in the header, and UCM refuses
        requests in which the two differ (AXL Developer Guide, on versions of the schema).
    :param wsdl: an ``AXLAPI.wsdl`` as UCM gives it out, with ``AXLSoap.xsd`` beside it; default: the built-in schema
    :raises UcmMisconfigured: ``wsdl`` cannot be used; ``detail`` is ``wsdl_unreadable``, ``wsdl_version`` (it is for
        another one) or ``wsdl_incomplete``
    """

    def __init__(self, version: str, wsdl: Path | None = None) -> None:
        self._version = version
        self._client = _client(wsdl or _OWN, version)
        namespace = f"http://www.cisco.com/AXL/API/{version}"
        if namespace not in self._client.namespaces.values():
            raise UcmMisconfigured(_UPSTREAM, "wsdl_version")
        try:
            for operation in OPERATIONS:
                self._client.get_element(f"{{{namespace}}}{operation}")
                self._client.service[operation]
        except (zeep.exceptions.LookupError, AttributeError, ValueError):
            raise UcmMisconfigured(_UPSTREAM, "wsdl_incomplete") from None

    def request(self, operation: str, **content: object) -> AxlRequest:
        """Write a request.

        :param operation: one of :data:`OPERATIONS`
        :param content: children by name, nested ones as dictionaries; their values have been checked
        :raises UcmMisconfigured: the schema has no such children, or a value cannot stand in XML; ``detail`` is
            ``schema``
        """
        try:
            envelope = self._client.create_message(self._client.service, operation, **content)
            body = etree.tostring(envelope, encoding="utf-8", xml_declaration=True)
        except (zeep.exceptions.Error, TypeError, ValueError):
            failure = UcmMisconfigured(_UPSTREAM, "schema")
        else:
            return AxlRequest(operation, f'"CUCM:DB ver={self._version} {operation}"', body)
        # Raised out here, it drags no library's exception along: those quote what was to be sent.
        raise failure


class _Folder:
    """What zeep loads documents by: files of one folder, and nothing else.

    :param version: fills in the templates in it; None for files that are none
    """

    def __init__(self, folder: Path, version: str | None) -> None:
        self._folder = folder
        self._version = version

    def load(self, url: str) -> bytes:
        """Return a document. Called by zeep with the path of the first one, and of those that it imports."""
        path = Path(url)
        if path.resolve().parent != self._folder:
            raise FileNotFoundError(url)
        content = path.read_bytes()
        if self._version is None:
            return content
        return Template(content.decode()).substitute(version=self._version).encode()


def _client(wsdl: Path, version: str) -> Any:
    place = wsdl.resolve()
    folder = _Folder(place.parent, version if wsdl == _OWN else None)
    try:
        return zeep.Client(str(place), transport=folder, settings=_SETTINGS)  # type: ignore[no-untyped-call]
    except (zeep.exceptions.Error, OSError, LookupError, ValueError):
        raise UcmMisconfigured(_UPSTREAM, "wsdl_unreadable") from None
