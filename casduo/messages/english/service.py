"""Texts of the pages about an application that people cannot enter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message

TEXTS: Final[Mapping[str, Message]] = {
    "service_unregistered.heading": "This application is not allowed to use this sign-in",
    "service_unregistered.why": "Nothing was sent to it. It has this address:",
    "service_unregistered.owner": "If you trust the application, tell its owner: it has to be registered here first.",
    "service_disabled.heading": "{service} is switched off",
    "service_disabled.why": "Nobody can sign in to this application at the moment.",
    "service_denied.heading": "You may not use {service}",
    "service_denied.signed_in": "Your sign-in worked, and your other applications are not affected.",
    "service_denied.owner": "If you think that you should have access, ask its owner.",
    "service_denied.switch": "Sign in as someone else",
    "service_denied.reason.rule": "It is not open to your account.",
    "service_denied.reason.group": "It is open to certain groups only, and your account is in none of them.",
    "service_denied.reason.network": "It can be used from certain networks only, and you are not in one of them.",
    "service_denied.reason.not_yet": "It can be used from {start:date} on.",
    "service_denied.reason.expired": "It could be used until {end:date}.",
    "service_denied.reason.attribute": "Your account lacks something that it asks for.",
    "ticket_loop.heading": "{service} keeps sending you back here",
    "ticket_loop.why": "Your sign-in worked, but {service} takes no notice of it. "
    "We stopped, so that you are not sent to and fro without end.",
    "ticket_loop.person": "What you can do",
    "ticket_loop.again": "Try again: the fault may have passed.",
    "ticket_loop.cookies": "Allow cookies for {host}, or use another browser.",
    "ticket_loop.tell": "If it happens again, tell the owner of the application and name the reference below.",
    "ticket_loop.owner": "For the owner of the application",
    "ticket_loop.facts": "Within a few seconds the application was given one ticket after another, "
    "and validated none of them. Likely causes:",
    "ticket_loop.facts_returned": "Within a few seconds the application was given one ticket after another, "
    "and validated none of them. It even came back with a ticket in its own address. Likely causes:",
    "ticket_loop.cause.parameter": "The ticket is lost or refused before the CAS client sees it: by a redirect that "
    "drops the parameter, or by a filter that does not like its characters or its length.",
    "ticket_loop.cause.unreachable": "The address for validating tickets cannot be reached from the application: "
    "because of a wrong address, a firewall, or a certificate that it does not trust.",
    "ticket_loop.cause.session": "The application's session cookie does not come back: "
    "it is for another host or path, or for https while the page is http.",
    "ticket_loop.cause.clock": "The clock of the application's machine is wrong: "
    "certificates or tickets look expired to it.",
}
