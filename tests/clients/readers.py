"""How deployed clients read answers: each reader is as strict, and as careless, as the client it is named after.

What they have in common: they return what the client would believe, raise :class:`Refused` where it would learn of a
refusal, and :class:`Unreadable` where it would stumble.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote_plus
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring
from ruamel.yaml import YAML

CAS = "{http://www.yale.edu/tp/cas}"
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
SAML = "{urn:oasis:names:tc:SAML:1.0:assertion}"
SAMLP = "{urn:oasis:names:tc:SAML:1.0:protocol}"


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Learned:
    """What a client believes. An attribute is one text, or a list of several."""

    user: str
    attributes: Mapping[str, object] = field(default_factory=dict)
    proxies: tuple[str, ...] = ()
    iou: str = ""


class Refused(Exception):
    """The client was told, in a way that it understands, that the ticket is no good."""

    def __init__(self, code: str = "") -> None:
        super().__init__(code)
        self.code = code


class Unreadable(Exception):
    """The client does not know what to make of the answer."""


def mod_auth_cas_text(answer: Answer) -> Learned:
    """CAS 1.0: lines end in a bare line feed, nothing is trimmed, and an empty line is the end."""
    lines = answer.body.decode("latin-1").split("\n")
    if lines[0] == "yes" and len(lines) > 1 and lines[1]:
        return Learned(lines[1])
    if lines[0] == "no":
        raise Refused
    raise Unreadable(repr(answer.body))


def mod_auth_cas_xml(answer: Answer) -> Learned:
    """CAS 2.0 and 3.0: untrimmed texts, elements by name and namespace, markup within a value flattened."""
    root = _document(answer.body)
    if root.tag != f"{CAS}serviceResponse":
        raise Unreadable(root.tag)
    success = root.find(f"{CAS}authenticationSuccess")
    if success is None:
        raise Refused(_code(root))
    attributes = success.find(f"{CAS}attributes")
    return Learned(_untrimmed(success, f"{CAS}user"), _collected(attributes if attributes is not None else ()))


def phpcas_text(answer: Answer) -> Learned:
    """CAS 1.0: ``no`` wants its line feed, and the name stands on the second line."""
    text = answer.body.decode("latin-1")
    if re.match(r"no\n", text):
        raise Refused
    if not re.match(r"yes\n", text):
        raise Unreadable(repr(text))
    return Learned(text.split("\n")[1].strip())


def phpcas_xml(answer: Answer) -> Learned:
    """CAS 2.0 and 3.0: elements anywhere, by names from which ``cas:`` is cut; three names are no attributes."""
    root = _document(answer.body)
    if _local(root) != "serviceResponse" or b"<cas:serviceResponse" not in answer.body:
        raise Unreadable(root.tag)
    if failure := _anywhere(root, "authenticationFailure"):
        if not (failure[0].text or "").strip():
            raise Unreadable("a failure without words")
        raise Refused(failure[0].get("code", ""))
    if not _anywhere(root, "authenticationSuccess"):
        raise Unreadable("neither success nor failure")
    users = _anywhere(root, "user")
    if not users or not (users[0].text or "").strip():
        raise Unreadable("no user")
    found = [child for attributes in _anywhere(root, "attributes") for child in attributes]
    kept = [child for child in found if _local(child) not in ("user", "proxies", "proxyGrantingTicket")]
    if any(child.attrib for child in kept):
        raise Unreadable("attributes in another style")
    iou = _anywhere(root, "proxyGrantingTicket")
    if iou and not re.fullmatch(r"PGTIOU-[.\-\w]+", (iou[0].text or "").strip()):
        raise Unreadable("not a PGTIOU")
    return Learned(
        (users[0].text or "").strip(),
        _collected(kept),
        tuple((proxy.text or "").strip() for proxy in _anywhere(root, "proxy")),
        (iou[0].text or "").strip() if iou else "",
    )


def phpcas_callback(method: str, fields: Mapping[str, str]) -> tuple[str, str]:
    """Take what is brought to the proxy callback, by GET or POST, and return the IOU and the ticket."""
    if method not in ("GET", "POST"):
        raise Unreadable(method)
    iou, pgt = fields.get("pgtIou", ""), fields.get("pgtId", "")
    if not re.fullmatch(r"PGTIOU-[.\-\w]+", iou) or not re.fullmatch(r"[PT]GT-[.\-\w]+", pgt):
        raise Unreadable("not a ticket and its IOU")
    return iou, pgt


def phpcas_saml(answer: Answer) -> Learned:
    """SAML 1.1: whoever a ``NameIdentifier`` anywhere names is let in, whatever the status says."""
    root = _document(answer.body)
    names = _anywhere(root, "NameIdentifier")
    if not names:
        raise Refused
    return Learned((names[0].text or "").strip(), _saml_attributes(root))


def java_text(answer: Answer) -> Learned:
    """CAS 1.0."""
    _below_400(answer)
    text = answer.body.decode("ascii")
    if not text.startswith("yes"):
        raise Refused
    return Learned(text.split("\n")[1])


def java_xml(answer: Answer) -> Learned:
    """CAS 2.0 and 3.0: names without their namespaces, anywhere, the text of all of them in one; no document type.

    The bytes are read in whatever charset the machine has, so nothing but ASCII is safe.
    """
    _below_400(answer)
    if not answer.body.isascii() or b"<!DOCTYPE" in answer.body:
        raise Unreadable("not plain ASCII, or a document type")
    root = _document(answer.body)
    failure = _all_text(root, "authenticationFailure")
    if failure.strip():
        raise Refused(_code(root))
    user = _all_text(root, "user")
    if not user:
        raise Unreadable("no principal")
    iou = _all_text(root, "proxyGrantingTicket")
    if iou and not iou.startswith("PGTIOU-"):
        raise Unreadable("an encrypted ticket without a key")
    attributes = _anywhere(root, "attributes")
    found = [child for child in attributes[0].iter() if child is not attributes[0]] if attributes else []
    return Learned(user, _collected(found), tuple(proxy.text or "" for proxy in _anywhere(root, "proxy")), iou)


def java_json(answer: Answer) -> Learned:
    """CAS 3.0 in JSON: no key that it does not know, and attributes that are there."""
    _below_400(answer)
    response = _only(_loaded(answer.body), {"serviceResponse"})["serviceResponse"]
    response = _only(response, {"authenticationSuccess", "authenticationFailure"})
    if failure := response.get("authenticationFailure"):
        raise Refused(str(_only(failure, {"code", "description"})["code"]))
    success = _only(response["authenticationSuccess"], {"user", "attributes", "proxies", "proxyGrantingTicket"})
    if not isinstance(success.get("attributes"), dict):
        raise Unreadable("no attributes")
    proxies = success.get("proxies") or ()
    return Learned(
        str(success["user"]), success["attributes"], tuple(proxies), str(success.get("proxyGrantingTicket") or "")
    )


def java_saml(answer: Answer, now: datetime) -> Learned:
    """SAML 1.1: both bounds of the assertion, and a clock that may be a second off. The status is not looked at."""
    _below_400(answer)
    root = _document(answer.body)
    conditions = root.find(f".//{SAML}Assertion/{SAML}Conditions")
    if conditions is None:
        raise Refused
    _valid_at(conditions, now, timedelta(seconds=1))
    name = root.findtext(f".//{SAML}AuthenticationStatement/{SAML}Subject/{SAML}NameIdentifier")
    if not name:
        raise Unreadable("no NameIdentifier under the AuthenticationStatement")
    return Learned(name, _saml_attributes(root))


def dotnet_text(answer: Answer) -> Learned:
    """CAS 1.0."""
    _successful(answer)
    lines = answer.body.decode("utf-8").splitlines()
    if lines[0] != "yes":
        raise Refused
    return Learned(lines[1])


def dotnet_xml(answer: Answer) -> Learned:
    """CAS 2.0: deserialised by namespace, and nothing is known of attributes."""
    _successful(answer)
    root = _document(answer.body)
    if root.tag != f"{CAS}serviceResponse" or len(root) != 1:
        raise Unreadable(root.tag)
    if root[0].tag == f"{CAS}authenticationFailure":
        raise Refused(root[0].attrib["code"])
    if root[0].tag != f"{CAS}authenticationSuccess":
        raise Unreadable(root[0].tag)
    proxies = root[0].findall(f"{CAS}proxies/{CAS}proxy")
    iou = root[0].findtext(f"{CAS}proxyGrantingTicket", "")
    return Learned(_untrimmed(root[0], f"{CAS}user"), {}, tuple(proxy.text or "" for proxy in proxies), iou)


def dotnet_saml(answer: Answer, now: datetime) -> Learned:
    """SAML 1.1: conditions, an authentication statement and its subject, who is also that of the attributes."""
    _successful(answer)
    root = _document(answer.body)
    assertion = root.find(f".//{SAML}Assertion")
    if assertion is None:
        raise Refused
    conditions = assertion.find(f"{SAML}Conditions")
    if conditions is None:
        raise Unreadable("no Conditions")
    _valid_at(conditions, now, timedelta(seconds=1))
    name = assertion.findtext(f"{SAML}AuthenticationStatement/{SAML}Subject/{SAML}NameIdentifier")
    if not name:
        raise Unreadable("no NameIdentifier in the AuthenticationStatement")
    of_attributes = assertion.iterfind(f"{SAML}AttributeStatement/{SAML}Subject/{SAML}NameIdentifier")
    if any(element.text != name for element in of_attributes):
        raise Unreadable("attributes of somebody else")
    return Learned(name, _saml_attributes(root))


def rubycas(answer: Answer) -> Learned:
    """Any version: in every answer it first looks for one of CAS 1.0. Values are YAML, and the last one counts."""
    if not (200 <= answer.status < 300 or answer.status == 422):
        raise Unreadable(str(answer.status))
    text = answer.body.decode("utf-8")
    if found := rubycas_text(text):
        if found[0] == "yes":
            return Learned(found[1])
        raise Refused
    if "<cas:serviceResponse" not in text:
        raise Unreadable("no cas:serviceResponse")
    outcome = _document(answer.body)[0]
    if outcome.tag == f"{CAS}authenticationFailure":
        raise Refused(outcome.attrib["code"])
    if outcome.tag != f"{CAS}authenticationSuccess":
        raise Unreadable(outcome.tag)
    attributes = {_local(element): element.text for element in outcome.iterfind(f"{CAS}attributes/*")}
    return Learned(
        outcome.findtext(f"{CAS}user", "").strip(),
        {name: _yaml().load(value or "") for name, value in attributes.items()},
        tuple(proxy.text or "" for proxy in outcome.iterfind(f"{CAS}proxies/{CAS}proxy")),
        outcome.findtext(f"{CAS}proxyGrantingTicket", "").strip(),
    )


def rubycas_text(text: str) -> tuple[str, str] | None:
    """Return verdict and name where rubycas-client sees an answer of CAS 1.0, which is wherever three lines look so.

    In Ruby ``^`` and ``$`` mean lines always, and the dot means line feeds too under ``m``.
    """
    found = re.search(r"^(yes|no)\n(.*?)\n$", text, re.MULTILINE | re.DOTALL)
    return (found[1], found[2]) if found else None


def omniauth(answer: Answer) -> Learned:
    """CAS 2.0 and 3.0: attributes lie beside the user, over whom one of that name would win; the last value counts.

    Whatever is no success, is one failure.
    """
    success = _document(answer.body).find(f"{CAS}authenticationSuccess")
    if success is None or b"<cas:authenticationSuccess" not in answer.body:
        raise Refused
    info: dict[str, str] = {}
    for child in success:
        if len(child) == 0:
            info[_local(child)] = child.text or ""
        elif _local(child) == "attributes":
            info |= {_local(attribute): attribute.text or "" for attribute in child}
    return Learned(info.pop("user"), info, (), info.pop("proxyGrantingTicket", ""))


def phpcas_sign_out(body: bytes) -> str:
    """Return the ticket that a sign-out message names; it is decoded once more than it was encoded."""
    message = unquote_plus(parse_qs(body.decode("ascii"))["logoutRequest"][0])
    found = re.search(r"<samlp:SessionIndex>(.*)</samlp:SessionIndex>", message)
    if found is None:
        raise Unreadable(message)
    return found[1]


def rubycas_sign_out(body: bytes) -> str:
    """Return the ticket that a sign-out message names, which begins with its root."""
    message = parse_qs(body.decode("ascii"))["logoutRequest"][0]
    found = re.match(r"<samlp:LogoutRequest.*?<samlp:SessionIndex>(.*)</samlp:SessionIndex>", message, re.DOTALL)
    if found is None:
        raise Unreadable(message)
    return found[1]


def mod_auth_cas_sign_out(body: bytes) -> str:
    """Return the ticket that a sign-out message names: the one field of a body that fits a buffer of 1024 bytes."""
    if not body.startswith(b"logoutRequest="):
        raise Unreadable("the body begins with something else")
    message = unquote_plus(body[:1023].removeprefix(b"logoutRequest=").decode("ascii"))
    index = _document(message.encode()).find("{urn:oasis:names:tc:SAML:2.0:protocol}SessionIndex")
    if index is None or not index.text:
        raise Unreadable(message)
    return index.text


def java_sign_out(message: str) -> str:
    """Return the ticket that a sign-out message names; one without ``SessionIndex`` is taken for a deflated one."""
    if "SessionIndex" not in message:
        message = zlib.decompress(b64decode(message)).decode()
    return _all_text(_document(message.encode()), "SessionIndex")


def _document(body: bytes) -> Element:
    try:
        return fromstring(body, forbid_dtd=True)
    except (ParseError, ValueError) as error:
        raise Unreadable(f"no XML: {body!r}") from error


def _loaded(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError as error:
        raise Unreadable(f"no JSON: {body!r}") from error


def _only(value: object, known: set[str]) -> dict[str, object]:
    if not isinstance(value, dict) or not value.keys() <= known:
        raise Unreadable(f"{value!r} has other keys than {known}")
    return value


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _anywhere(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if _local(element) == name]


def _all_text(root: Element, name: str) -> str:
    return "".join("".join(element.itertext()) for element in _anywhere(root, name))


def _code(root: Element) -> str:
    failures = _anywhere(root, "authenticationFailure")
    if not failures:
        raise Unreadable("neither success nor failure")
    return failures[0].get("code", "")


def _untrimmed(parent: Element, tag: str) -> str:
    text = parent.findtext(tag, "")
    if not text or text != text.strip():
        raise Unreadable(f"{tag} is {text!r}")
    return text


def _collected(elements: Iterable[Element]) -> dict[str, object]:
    """Return values by name, several of them as a list."""
    values: dict[str, list[str]] = {}
    for element in elements:
        values.setdefault(_local(element), []).append("".join(element.itertext()))
    return {name: found[0] if len(found) == 1 else found for name, found in values.items()}


def _saml_attributes(root: Element) -> dict[str, object]:
    attributes: dict[str, object] = {}
    for attribute in root.iterfind(f".//{SAML}AttributeStatement/{SAML}Attribute"):
        values = [value.text or "" for value in attribute.iterfind(f"{SAML}AttributeValue")]
        if attribute.attrib["AttributeName"] in attributes:
            raise Unreadable("an attribute twice")
        attributes[attribute.attrib["AttributeName"]] = values[0] if len(values) == 1 else values
    return attributes


def _valid_at(conditions: Element, now: datetime, tolerance: timedelta) -> None:
    start, end = (_instant(conditions.get(name, "")) for name in ("NotBefore", "NotOnOrAfter"))
    if not start - tolerance <= now < end + tolerance:
        raise Unreadable(f"valid from {start} to {end}, and now it is {now}")


def _instant(text: str) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", text):
        raise Unreadable(f"{text!r} is no instant")
    return datetime.fromisoformat(text).astimezone(UTC)


def _below_400(answer: Answer) -> None:
    if answer.status >= 400:
        raise Unreadable(str(answer.status))


def _successful(answer: Answer) -> None:
    if not 200 <= answer.status < 300:
        raise Unreadable(str(answer.status))


def _yaml() -> YAML:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    return yaml
