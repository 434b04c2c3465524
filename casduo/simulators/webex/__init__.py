"""A stand-in for Webex: its messaging API, its webhooks, and the spaces people look into, as pages.

Written from Cisco's public documentation of the API and checked against an unmodified client of it.
"""

from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.limits import Limit
from casduo.simulators.webex.model import Action, Message, Person, Room, Webhook
from casduo.simulators.webex.pressing import InputsRefused
from casduo.simulators.webex.simulator import WebexSimulator

__all__ = ["Action", "InputsRefused", "Limit", "Message", "Person", "Room", "WebexRefusal", "WebexSimulator", "Webhook"]
