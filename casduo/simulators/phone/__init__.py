"""An emulated Cisco IP phone: it fetches, checks, shows and sends what a phone does, and refuses the rest.

Written from the vendor's application development notes for phone services; stricter than any one phone on purpose.
"""

from casduo.simulators.phone.errors import CannotType, NoSuchKey, PhoneError, PhoneRefused
from casduo.simulators.phone.phone import IpPhone
from casduo.simulators.phone.presets import PRESETS, Preset
from casduo.simulators.phone.screen import Field, Screen

__all__ = [
    "PRESETS",
    "CannotType",
    "Field",
    "IpPhone",
    "NoSuchKey",
    "PhoneError",
    "PhoneRefused",
    "Preset",
    "Screen",
]
