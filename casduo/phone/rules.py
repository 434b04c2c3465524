"""What the settings say about logging in on phones, as plain values that decisions can be given."""

from __future__ import annotations

from dataclasses import dataclass, field

from casduo.fieldtypes import Network
from casduo.phone.devices import AddressBinding
from casduo.phone.plan import LoginTerms


@dataclass(frozen=True, slots=True)
class PhoneRules:
    """Times in seconds; see ``casduo.settings.phones`` for what each of them is about.

    ``registered_address``: a phone must ask from where UCM has it registered. ``budget`` is how long a request of a
    phone may be at work before it is told to ask again. ``pin_handlers`` are the names of the handlers that check PINs.
    """

    device_names: str = "SEP[0-9A-F]{12}"
    networks: tuple[Network, ...] = ()
    address_binding: AddressBinding = "exact"
    registered_address: bool = False
    post_models: tuple[str, ...] = ()
    show_occupant: bool = True
    login: LoginTerms = field(default_factory=lambda: LoginTerms("refuse", "ucm", has_policy=False))
    take_default_profile: bool = False
    no_profile_after_duo: bool = False
    login_lifetime: float = 0.0
    logout_pin: bool = False
    clear_call_history: bool = False
    refresh: int = 3
    transaction_lifetime: float = 180.0
    budget: float = 4.0
    pin_handlers: tuple[str, ...] = ()
