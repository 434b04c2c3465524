"""Builds from the settings what logins on phones go by."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.phone.plan import LoginTerms
from casduo.phone.rules import PhoneRules
from casduo.settings import Settings
from casduo.throttling import Limit, PinThrottle, below_lockout
from casduo.ucm.build import Ucm

_LOCKOUT_FAILURES, _LOCKOUT_WINDOW = 3, 1800.0
"""What UCM's own credential policy says by default."""


def build_phone_rules(settings: Settings, ucm: Ucm | None) -> PhoneRules:
    """Return what the settings say about logging in on phones."""
    phones = settings.phones
    # Looked at where a login begins, so it has to go on from there.
    registered = phones.registered_address == "require"
    return PhoneRules(
        device_names=phones.device_names,
        networks=phones.networks,
        address_binding="exact" if registered else phones.address_binding,
        registered_address=registered,
        post_models=phones.post_models,
        show_occupant=phones.show_occupant,
        login=LoginTerms(phones.other_user, phones.elsewhere, has_policy=ucm is not None and ucm.logins.has_policy),
        take_default_profile=phones.profiles == "default",
        no_profile_after_duo=phones.no_profile == "after_duo",
        login_lifetime=phones.login_lifetime or 0.0,
        logout_pin=phones.logout_pin,
        clear_call_history=phones.clear_call_history,
        refresh=int(phones.refresh),
        transaction_lifetime=phones.transaction_lifetime,
        budget=settings.ucm.budget if settings.ucm is not None else 4.0,
        pin_handlers=tuple(handler.name for handler in settings.authentication if handler.type == "ucm_pin"),
    )


@dataclass(frozen=True, slots=True)
class PinLimits:
    """The limits on wrong PINs, see :mod:`casduo.throttling.pins`, but for that of addresses."""

    user: Limit
    device: Limit
    pair: Limit


def pin_limits(settings: Settings) -> PinLimits:
    """Return the limits on wrong PINs that the settings lead to."""
    ucm = settings.ucm
    failures = ucm.lockout_failures if ucm is not None else _LOCKOUT_FAILURES
    window = ucm.lockout_window if ucm is not None else _LOCKOUT_WINDOW
    return PinLimits(
        user=below_lockout(failures, window),
        device=Limit(settings.phones.device_failures, 900.0, 60.0, 900.0),
        pair=Limit(3, 300.0, 30.0, 300.0),
    )


def pin_throttle(settings: Settings, address: Limit) -> PinThrottle:
    """Return what counts wrong PINs.

    :param address: the limit of logins in browsers; both count together
    """
    limits = pin_limits(settings)
    return PinThrottle(user=limits.user, device=limits.device, pair=limits.pair, address=address)
