"""What holds for a service of phones: where they come to, which phones and people get on, and by which settings."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

from casduo.explanation.conditions import Facts, few
from casduo.explanation.model import Condition, Origin, Phone, Value
from casduo.fieldtypes import format_duration
from casduo.phone.build import build_phone_rules, pin_limits
from casduo.phone.devices import device_name
from casduo.phone.mounts import Mount, mount_of
from casduo.services.access import in_networks, one_of
from casduo.services.model import RegisteredService
from casduo.services.patterns import compile_pattern
from casduo.services.urls import ServiceUrl
from casduo.settings import Settings
from casduo.throttling import Limit

NO_MAIL = "UCM has no mail address for this person, which would be the name here and at Duo"
"""Why somebody cannot log in whose principal is the mail address."""

_MEANINGS = {
    ("ucm", "emapi"): "logins are written by the Extension Mobility API, and go by UCM's own rules as well",
    ("ucm", "axl"): "logins are written by AXL, which has no rules for them",
    ("phones.registered_address", "require"): "a phone must ask from the address at which UCM has it registered",
    ("phones.registered_address", "ignore"): "where UCM has a phone registered is not looked at",
    ("phones.address_binding", "exact"): "a login ends at the address where it began, or not at all",
    ("phones.address_binding", "network"): "a login ends in the /24 (IPv6: /64) where it began, or not at all",
    ("phones.address_binding", "off"): "a login may end at another address than it began",
    ("phones.other_user", "refuse"): "where somebody else is logged in, people are refused",
    ("phones.other_user", "take_over"): "where somebody else is logged in, that login is ended",
    ("phones.show_occupant", "yes"): "a phone in use tells by whom",
    ("phones.show_occupant", "no"): "a phone in use does not tell by whom",
    ("phones.profiles", "ask"): "people with several profiles choose",
    ("phones.profiles", "default"): "people with several profiles get their default one, or choose if they have none",
    ("phones.no_profile", "before_duo"): "people without a profile are told so before Duo is asked",
    ("phones.no_profile", "after_duo"): "people without a profile are told so when Duo has said yes",
    ("phones.logout_pin", "yes"): "the PIN is asked for before a logout",
    ("phones.logout_pin", "no"): "whoever is at the phone may log out",
    ("phones.clear_call_history", "yes"): "after a logout the phone forgets its lists of calls",
    ("phones.clear_call_history", "no"): "the phone keeps its lists of calls",
}
_ELSEWHERE = {
    ("ucm", "emapi"): "UCM decides about people who are logged in at another phone",
    ("ucm", "axl"): "people who are logged in at another phone are refused: AXL has no rule of its own",
    ("allow", "emapi"): "people may be logged in at several phones, as far as UCM allows it",
    ("allow", "axl"): "people may be logged in at several phones",
    ("refuse", "emapi"): "people who are logged in at another phone are refused",
    ("refuse", "axl"): "people who are logged in at another phone are refused",
    ("move", "emapi"): "people who are logged in at another phone are logged out there",
    ("move", "axl"): "people who are logged in at another phone are logged out there",
}


def on_phones(url: ServiceUrl, service: RegisteredService, settings: Settings, facts: Facts) -> Phone:
    """Return what holds for logins on phones by ``service``, which has ``url``."""
    mount = _mount(url, service)
    return Phone(
        base=mount.base if mount is not None else "",
        conditions=tuple(_conditions(_device(url, mount), settings, facts)),
        profiles=tuple(_profiles(facts)),
        limits=tuple(_limits(settings)),
        values=tuple(_values(settings)),
    )


def _mount(url: ServiceUrl, service: RegisteredService) -> Mount | None:
    text = next((text for text in service.urls if compile_pattern(text).matches(url)), "")
    return mount_of(text, service.id)


def _device(url: ServiceUrl, mount: Mount | None) -> str:
    """Return the phone that an address speaks for, in its path or as the UCM fills it in; empty for none."""
    below = url.path[len(mount.path) :] if mount is not None else ""
    device = below.strip("/").partition("/")[0] or parse_qs(url.query).get("device", [""])[0]
    return device.upper()


def _conditions(device: str, settings: Settings, facts: Facts) -> Iterator[Condition]:
    phones = settings.phones
    if device:
        met = device_name(device, phones.device_names) is not None
        sentence = f"the name of the phone must match {phones.device_names}"
        yield Condition("device", "met" if met else "not met", sentence, f"it is {device}")
    if phones.networks:
        sentence = f"the address must be in {one_of(map(str, phones.networks))}"
        if facts.address is None:
            yield Condition("network", "depends", sentence)
        else:
            met = in_networks(phones.networks, facts.address)
            yield Condition("network", "met" if met else "not met", sentence, f"it is {facts.address}")


def _profiles(facts: Facts) -> Iterator[Condition]:
    person = facts.person
    if person is not None and (person.handler or "emProfile" in person.attributes):
        profiles = person.attributes.get("emProfile", ())
        fact = f"{person.name} has {few(profiles) or 'none'}"
        yield Condition("profile", "met" if profiles else "not met", "the person needs a profile at the UCM", fact)


def _limits(settings: Settings) -> Iterator[Value]:
    """The limits on wrong PINs. What leads to each of them stands in different sections."""
    ucm, limits, login = settings.ucm, pin_limits(settings), settings.throttling.login_address
    own: Origin = "default"
    lockout = ""
    if ucm is not None:
        own = "settings" if {"lockout_failures", "lockout_window"} & ucm.model_fields_set else "default"
        after = f"{ucm.lockout_failures} within {format_duration(ucm.lockout_window)}"
        lockout = f"; UCM itself locks people out after {after}"
    closed = format_duration(limits.user.pause)
    yield Value("person", _text(limits.user), f"at all phones together, then closed for {closed}{lockout}", own)
    yield Value("pair", _text(limits.pair), f"one person at one phone, {_pause(limits.pair)}", "default")
    device: Origin = "settings" if "device_failures" in settings.phones.model_fields_set else "default"
    yield Value("phone", _text(limits.device), f"one phone, {_pause(limits.device)}", device)
    address = Limit(login.failures, login.window, login.pause, login.max_pause)
    where: Origin = "settings" if "login_address" in settings.throttling.model_fields_set else "default"
    yield Value(
        "address", _text(address), f"one address, together with wrong passwords from there, {_pause(address)}", where
    )


def _text(limit: Limit) -> str:
    return f"{limit.failures} within {format_duration(limit.window)}"


def _pause(limit: Limit) -> str:
    return f"then pauses from {format_duration(limit.pause)} to {format_duration(limit.max_pause)}"


def _values(settings: Settings) -> Iterator[Value]:
    phones, back_end = settings.phones, settings.ucm.back_end if settings.ucm is not None else "axl"
    yield Value("ucm", back_end, _MEANINGS["ucm", back_end], "settings")
    yield _value(settings, "other_user", phones.other_user)
    yield _value(settings, "elsewhere", phones.elsewhere, _ELSEWHERE[phones.elsewhere, back_end])
    yield _value(settings, "profiles", phones.profiles)
    yield _value(settings, "no_profile", phones.no_profile)
    lifetime = format_duration(phones.login_lifetime) if phones.login_lifetime else ""
    ends = "by UCM" if back_end == "emapi" else "by casduo's worker"
    meaning = f"people are logged out {ends} so long after their login" if lifetime else "no login is ended by its age"
    yield _value(settings, "login_lifetime", lifetime, meaning)
    yield _value(settings, "logout_pin", _yes(phones.logout_pin))
    yield _value(settings, "clear_call_history", _yes(phones.clear_call_history))
    yield _value(settings, "show_occupant", _yes(phones.show_occupant))
    yield _value(settings, "registered_address", phones.registered_address)
    yield _value(settings, "address_binding", build_phone_rules(settings, None).address_binding)
    lifetime = format_duration(phones.transaction_lifetime)
    yield _value(settings, "transaction_lifetime", lifetime, "a login may take so long, from the PIN to its end")


def _value(settings: Settings, name: str, text: str, meaning: str = "") -> Value:
    key = f"phones.{name}"
    origin: Origin = "settings" if name in settings.phones.model_fields_set else "default"
    return Value(key, text, meaning or _MEANINGS[key, text], origin)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
