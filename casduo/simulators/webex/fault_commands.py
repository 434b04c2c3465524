"""The commands of the control interface that make Webex, or the network before it, misbehave."""

from __future__ import annotations

from casduo.simulators.certificates import CERTIFICATE_FAULTS
from casduo.simulators.steering import Arguments, Command, words
from casduo.simulators.webex.faults import ANSWER_KINDS, DELIVERY_KINDS, ENDPOINTS, EVERY
from casduo.simulators.webex.limits import Limit
from casduo.simulators.webex.simulator import WebexSimulator

_NAMES = (EVERY, *ENDPOINTS)


def _times(arguments: Arguments) -> int | None:
    """Return how many calls: one unless something else is said, None for null."""
    return arguments.times() if arguments.has("times") else 1


def _endpoint(arguments: Arguments) -> str:
    return arguments.choice("endpoint", _NAMES, EVERY)


def _fail(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.fail(
        _endpoint(arguments),
        int(arguments.number("status")),
        times=_times(arguments),
        retry_after=arguments.text("retry_after", "") or None,
        message=arguments.text("message", ""),
        done=arguments.yes("done", False),
    )
    return None


def _answer(simulator: WebexSimulator, arguments: Arguments) -> object:
    kind, done = arguments.choice("kind", ANSWER_KINDS), arguments.yes("done", False)
    simulator.faults.answer(_endpoint(arguments), kind, times=_times(arguments), done=done)
    return None


def _drop(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.faults.drop(_endpoint(arguments), times=_times(arguments), done=arguments.yes("done", False))
    return None


def _hang(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.faults.hang(_endpoint(arguments), times=_times(arguments), done=arguments.yes("done", False))
    return None


def _delay(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.faults.delay(_endpoint(arguments), arguments.number("seconds"), times=arguments.times())
    return None


def _deliveries(simulator: WebexSimulator, arguments: Arguments) -> object:
    kind, seconds = arguments.choice("kind", DELIVERY_KINDS), arguments.number("seconds", 60.0)
    simulator.faults.deliveries(kind, times=_times(arguments), seconds=seconds)
    return None


def _next_origin(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.faults.next_origin = arguments.text("origin", "") or None
    return None


def _hide_title(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.change_room(arguments.text("room"), title_unreadable=arguments.yes("on", True))
    return None


def _rate_limit(simulator: WebexSimulator, arguments: Arguments) -> object:
    calls = int(arguments.number("calls", 0.0))
    simulator.rate_limit = Limit(calls, arguments.number("seconds", 1.0)) if calls else None
    return None


def _cut(simulator: WebexSimulator, arguments: Arguments) -> object:
    after = int(arguments.number("after", 0.0))
    simulator.transport.cut(arguments.text("path", EVERY), after=after, times=_times(arguments))
    return None


def _reset(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.transport.reset(arguments.text("path", EVERY), times=_times(arguments))
    return None


def _mute(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.transport.silent_connections = arguments.yes("on")
    return None


def _listen(simulator: WebexSimulator, arguments: Arguments) -> object:
    on = arguments.yes("on")
    if on and not simulator.listening:
        simulator.listen_again()
    elif not on and simulator.listening:
        simulator.stop_listening()
    return None


def _certificate(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.show_certificate(arguments.optional_choice("kind", CERTIFICATE_FAULTS))
    return None


def _clear_faults(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.faults.clear()
    simulator.transport.clear()
    simulator.rate_limit = None
    return None


FAULT_COMMANDS: dict[str, Command[WebexSimulator]] = {
    "fail": Command(
        _fail,
        "status, [endpoint], [times], [retry_after], [message], [done]",
        "answers with a status; retry_after is a text; endpoints are * (the default), "
        f"{words(ENDPOINTS)}; times is 1 unless given, null for without end; done carries the call out all the same",
    ),
    "answer": Command(
        _answer, "kind, [endpoint], [times], [done]", f"gives another answer than the right one: {words(ANSWER_KINDS)}"
    ),
    "drop": Command(_drop, "[endpoint], [times], [done]", "closes the connection without an answer"),
    "hang": Command(_hang, "[endpoint], [times], [done]", "never answers"),
    "delay": Command(_delay, "seconds, [endpoint], [times]", "waits some real time first; without times for ever"),
    "spoil_deliveries": Command(
        _deliveries, "kind, [times], [seconds]", f"spoils deliveries of webhooks: {words(DELIVERY_KINDS)}"
    ),
    "next_origin": Command(_next_origin, "[origin]", "has links to next pages lead elsewhere; without one no more"),
    "hide_title": Command(_hide_title, "room, [on]", "has lists show an error in the place of a space's title"),
    "rate_limit": Command(
        _rate_limit, "[calls], [seconds]", "lets each token make so many calls in so many seconds; without calls any"
    ),
    "cut": Command(_cut, "[path], [after], [times]", "closes the connection after so many bytes of the answer"),
    "reset": Command(_reset, "[path], [times]", "aborts the connection instead of answering"),
    "mute": Command(_mute, "on", "accepts connections and says nothing, not even TLS"),
    "listen": Command(_listen, "on", "false refuses connections, true accepts them again"),
    "certificate": Command(_certificate, "kind", f"shows a wrong one, null the right one: {words(CERTIFICATE_FAULTS)}"),
    "clear_faults": Command(
        _clear_faults, "", "takes back every fault but those of listen, certificate and hide_title"
    ),
}
"""Every command by the name that ``do`` takes."""
