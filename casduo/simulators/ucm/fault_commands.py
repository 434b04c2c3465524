"""The commands of the control interface that make nodes, or the network before them, misbehave."""

from __future__ import annotations

from casduo.simulators.certificates import CERTIFICATE_FAULTS
from casduo.simulators.steering import Arguments, Command, ControlError, words
from casduo.simulators.ucm.faults import ANSWER_KINDS, SPOIL_KINDS
from casduo.simulators.ucm.simulator import UcmSimulator
from casduo.simulators.ucm.steering import nodes_of

_SERVICES = ("axl", "em")


def _answer(simulator: UcmSimulator, arguments: Arguments) -> object:
    kind, operation = arguments.choice("kind", ANSWER_KINDS), arguments.text("operation", "*")
    for node in nodes_of(simulator, arguments):
        node.faults.answer(kind, operation, arguments.times())
    return None


def _spoil(simulator: UcmSimulator, arguments: Arguments) -> object:
    kind, operation = arguments.choice("kind", SPOIL_KINDS), arguments.text("operation", "*")
    for node in nodes_of(simulator, arguments):
        node.faults.spoil(kind, operation, arguments.times())
    return None


def _refuse(simulator: UcmSimulator, arguments: Arguments) -> object:
    code, text = int(arguments.number("code")), arguments.text("text", "")
    for node in nodes_of(simulator, arguments):
        node.faults.refuse(code, text, arguments.text("operation", "*"), arguments.times())
    return None


def _overwrite(simulator: UcmSimulator, arguments: Arguments) -> object:
    text = arguments.text("text") if arguments.has("text") else None
    for node in nodes_of(simulator, arguments):
        node.faults.overwrite(arguments.text("operation", "*"), arguments.text("element"), text)
    return None


def _work(simulator: UcmSimulator, arguments: Arguments) -> object:
    for node in nodes_of(simulator, arguments):
        node.faults.delay(arguments.number("seconds"), arguments.text("operation", "*"))
    return None


def _delay(simulator: UcmSimulator, arguments: Arguments) -> object:
    for node in nodes_of(simulator, arguments):
        node.transport.delay(arguments.number("seconds"), jitter=arguments.number("jitter", 0.0))
    return None


def _silence(simulator: UcmSimulator, arguments: Arguments) -> object:
    for node in nodes_of(simulator, arguments):
        node.transport.stay_silent(times=arguments.times())
    return None


def _mute(simulator: UcmSimulator, arguments: Arguments) -> object:
    for node in nodes_of(simulator, arguments):
        node.transport.silent_connections = arguments.yes("on")
    return None


def _cut(simulator: UcmSimulator, arguments: Arguments) -> object:
    for node in nodes_of(simulator, arguments):
        node.transport.cut(after=int(arguments.number("after", 0.0)), times=arguments.times())
    return None


def _reset(simulator: UcmSimulator, arguments: Arguments) -> object:
    for node in nodes_of(simulator, arguments):
        node.transport.reset(times=arguments.times())
    return None


def _listen(simulator: UcmSimulator, arguments: Arguments) -> object:
    on = arguments.yes("on")
    for node in nodes_of(simulator, arguments):
        if on and not node.listening:
            node.listen_again()
        elif not on and node.listening:
            node.stop_listening()
    return None


def _services(simulator: UcmSimulator, arguments: Arguments) -> object:
    names = arguments.texts("names")
    if names is None or not set(names) <= set(_SERVICES):
        raise ControlError(f"names must be a list of some of {words(_SERVICES)}")
    for node in nodes_of(simulator, arguments):
        node.services.clear()
        node.services.update(names)
    return None


def _certificate(simulator: UcmSimulator, arguments: Arguments) -> object:
    kind = arguments.optional_choice("kind", CERTIFICATE_FAULTS)
    for node in nodes_of(simulator, arguments):
        node.show_certificate(kind)
    return None


def _clear_faults(simulator: UcmSimulator, arguments: Arguments) -> object:
    for node in nodes_of(simulator, arguments):
        node.faults.clear()
        node.transport.clear()
    return None


FAULT_COMMANDS: dict[str, Command[UcmSimulator]] = {
    "answer": Command(_answer, "kind, [operation], [times], [node]", f"gives a canned answer: {words(ANSWER_KINDS)}"),
    "spoil": Command(
        _spoil,
        "kind, [operation], [times], [node]",
        f"spoils answers, after the deed or without one: {words(SPOIL_KINDS)}",
    ),
    "refuse": Command(
        _refuse,
        "code, [text], [operation], [times], [node]",
        "refuses callers who may ask, with a code of AXL or of the Extension Mobility API",
    ),
    "overwrite": Command(
        _overwrite,
        "element, [text], [operation], [node]",
        "gives an element of every right answer another text; without one takes it away",
    ),
    "work": Command(_work, "seconds, [operation], [node]", "takes longer over an operation, 0 no more"),
    "delay": Command(_delay, "seconds, [jitter], [node]", "answers late, 0 no more"),
    "silence": Command(_silence, "[times], [node]", "reads requests and never answers"),
    "mute": Command(_mute, "on, [node]", "accepts connections and says nothing, not even TLS"),
    "cut": Command(_cut, "[after], [times], [node]", "closes the connection after so many bytes of the answer"),
    "reset": Command(_reset, "[times], [node]", "aborts the connection instead of answering"),
    "listen": Command(_listen, "on, [node]", "false refuses connections, true accepts them again"),
    "services": Command(_services, "names, [node]", "says which services run; the paths of others are not found"),
    "certificate": Command(
        _certificate, "kind, [node]", f"shows a wrong one, null the right one: {words(CERTIFICATE_FAULTS)}"
    ),
    "clear_faults": Command(
        _clear_faults, "[node]", "takes back every fault but those of listen, services and certificate"
    ),
}
"""Every command by the name that ``do`` takes."""
