"""Writes AXL's answers: objects with the children of the schema in its order, cut down to the tags asked for.

Texts and truth values are as AXL has them: a truth value is the text ``true`` or ``false``, a reference is a text
with a ``uuid``. What UCM has no value for is an empty element where the schema lets it be one, else it is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree.ElementTree import Element, SubElement, tostring

from casduo.simulators.ucm.axl_request import AXL, SOAP
from casduo.simulators.ucm.errors import AxlFault
from casduo.simulators.ucm.logins import Login
from casduo.simulators.ucm.model import Phone, Profile, User


def branch(name: str, *children: Element | None, uuid: str = "") -> Element:
    """Return an element with children."""
    element = Element(name, {"uuid": uuid} if uuid else {})
    element.extend(child for child in children if child is not None)
    return element


def leaf(name: str, value: str | int | bool, uuid: str = "") -> Element:
    """Return an element with a text."""
    element = Element(name, {"uuid": uuid} if uuid else {})
    element.text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    return element


def reference(name: str, profile: Profile | None, text: str = "") -> Element:
    """Return a reference to a profile; an empty element without one."""
    return leaf(name, text) if profile is None else leaf(name, profile.name, profile.uuid)


def user_object(user: User, profiles: dict[str, Profile]) -> Element:
    """Return ``user`` as getUser tells it."""
    return branch(
        "user",
        leaf("firstName", user.first_name),
        leaf("displayName", user.display_name),
        leaf("middleName", user.middle_name),
        leaf("lastName", user.last_name),
        leaf("emMaxLoginTime", "" if user.maximum_login_minutes is None else user.maximum_login_minutes),
        leaf("userid", user.userid),
        leaf("mailid", user.mail),
        leaf("department", user.department),
        leaf("manager", user.manager),
        leaf("userLocale", user.locale),
        branch("associatedDevices", *(leaf("device", name) for name in user.devices)),
        leaf("enableCti", True),
        branch("phoneProfiles", *_profile_names(user.profiles, profiles)),
        reference("defaultProfile", profiles.get(user.default_profile)),
        leaf("enableMobility", False),
        leaf("status", 1 if user.active else 0),
        leaf("enableEmcc", False),
        branch("ctiControlledDeviceProfiles", *_profile_names(user.cti_profiles, profiles)),
        leaf("homeCluster", True),
        leaf("imAndPresenceEnable", False),
        leaf("directoryUri", user.directory_uri),
        leaf("telephoneNumber", user.telephone),
        leaf("title", user.title),
        leaf("mobileNumber", user.mobile),
        uuid=user.uuid,
    )


def phone_object(phone: Phone, login: Login | None, profiles: dict[str, Profile]) -> Element:
    """Return ``phone`` as getPhone and listPhone tell it."""
    return branch(
        "phone",
        leaf("name", phone.name),
        leaf("description", phone.description),
        leaf("product", phone.model),
        leaf("model", phone.model),
        leaf("class", "Phone"),
        leaf("protocol", phone.protocol),
        leaf("protocolSide", "User"),
        leaf("callingSearchSpaceName", phone.search_space),
        leaf("devicePoolName", phone.device_pool),
        leaf("loginUserId", login.user if login else ""),
        reference("defaultProfileName", profiles.get(phone.default_profile)),
        leaf("enableExtensionMobility", phone.enabled),
        reference("currentProfileName", profiles.get(login.profile), login.profile)
        if login
        else leaf("currentProfileName", ""),
        leaf("loginTime", int(login.since)) if login else leaf("loginTime", ""),
        leaf("loginDuration", login.duration) if login else leaf("loginDuration", ""),
        uuid=phone.uuid,
    )


def profile_object(profile: Profile) -> Element:
    """Return ``deviceProfile`` as getDeviceProfile and listDeviceProfile tell it."""
    return branch(
        "deviceProfile",
        leaf("name", profile.name),
        leaf("description", profile.description),
        leaf("product", profile.model),
        leaf("model", profile.model),
        leaf("class", "Device Profile"),
        leaf("protocol", profile.protocol),
        leaf("protocolSide", "User"),
        uuid=profile.uuid,
    )


def cut_down(element: Element, wanted: Element | None) -> Element:
    """Take away what was not asked for with ``returnedTags``; without them everything stays."""
    if wanted is not None and len(wanted):
        tags = {tag.tag: tag for tag in wanted}
        for child in tuple(element):
            if child.tag in tags:
                cut_down(child, tags[child.tag])
            else:
                element.remove(child)
    return element


def response(operation: str, version: str, sequence: str | None, content: Iterable[Element] | str) -> Element:
    """Return the element an operation answers with, with its ``return`` inside."""
    answer = Element(f"ns:{operation}Response", {"xmlns:ns": f"{AXL}{version}"})
    if sequence is not None:
        answer.set("sequence", sequence)
    returned = SubElement(answer, "return")
    if isinstance(content, str):
        returned.text = content
    else:
        returned.extend(content)
    return answer


def fault(error: AxlFault, operation: str, namespace: str | None = None) -> Element:
    """Return a SOAP fault. Its detail has no namespace on real systems, whatever the WSDL says.

    :param namespace: puts the detail into this one after all
    """
    prefix = "ns:" if namespace else ""
    details = Element(f"{prefix}axlError", {"xmlns:ns": namespace} if namespace else {})
    details.extend((leaf("axlcode", error.axl_code), leaf("axlmessage", error.message), leaf("request", operation)))
    side = "Client" if error.client else "Server"
    return branch(
        "soapenv:Fault",
        leaf("faultcode", f"soapenv:{side}"),
        leaf("faultstring", error.message),
        branch("detail", details),
    )


def envelope(content: Element) -> bytes:
    """Return the whole document."""
    root = Element("soapenv:Envelope", {"xmlns:soapenv": SOAP})
    SubElement(root, "soapenv:Body").append(content)
    return serialised(root)


def serialised(root: Element) -> bytes:
    """Return the bytes of a document."""
    text: str = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()


def _profile_names(names: Iterable[str], profiles: dict[str, Profile]) -> Iterable[Element]:
    return (reference("profileName", profiles.get(name), name) for name in names)
