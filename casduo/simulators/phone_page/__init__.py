"""Emulated IP phones as a page in a browser: their displays and keys, one phone for each device.

What the phones do is :mod:`casduo.simulators.phone`'s affair; here is only how a person sees and presses them.
"""

from casduo.simulators.phone_page.desk_phone import DeskPhone
from casduo.simulators.phone_page.facts import CardHolder, Line, PhoneFacts
from casduo.simulators.phone_page.pages import PhonePages, phone_page_server

__all__ = ["CardHolder", "DeskPhone", "Line", "PhoneFacts", "PhonePages", "phone_page_server"]
