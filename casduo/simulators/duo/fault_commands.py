"""The commands of the control interface that make Duo, or the network before it, misbehave."""

from __future__ import annotations

from casduo.simulators.certificates import CERTIFICATE_FAULTS
from casduo.simulators.duo.faults import ANSWER_KINDS, CALLBACK_FAULTS, ID_TOKEN_FAULTS
from casduo.simulators.duo.simulator import DuoSimulator
from casduo.simulators.steering import Arguments, Command, words


def _answer(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.answer(arguments.text("path", "*"), arguments.choice("kind", ANSWER_KINDS), arguments.times())
    return None


def _refuse(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.refuse(
        arguments.text("path", "*"),
        int(arguments.number("code")),
        arguments.text("detail", "") or None,
        arguments.times(),
        retry_after=int(arguments.number("retry_after")) if arguments.has("retry_after") else None,
    )
    return None


def _overwrite(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.overwrite(arguments.text("path", "*"), arguments.mapping("members"))
    return None


def _id_token(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.id_token = arguments.optional_choice("kind", ID_TOKEN_FAULTS)
    return None


def _callback(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.callback = arguments.optional_choice("kind", CALLBACK_FAULTS)
    return None


def _clock_offset(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.clock_offset = arguments.number("seconds")
    return None


def _delay(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.delay(
        arguments.number("seconds"), jitter=arguments.number("jitter", 0.0), path=arguments.text("path", "*")
    )
    return None


def _silence(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.stay_silent(arguments.text("path", "*"), arguments.times())
    return None


def _mute(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.silent_connections = arguments.yes("on")
    return None


def _cut(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.cut(
        arguments.text("path", "*"), after=int(arguments.number("after", 0.0)), times=arguments.times()
    )
    return None


def _reset(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.transport.reset(arguments.text("path", "*"), arguments.times())
    return None


def _listen(simulator: DuoSimulator, arguments: Arguments) -> object:
    if arguments.yes("on"):
        simulator.listen_again()
    else:
        simulator.stop_listening()
    return None


def _certificate(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.show_certificate(arguments.optional_choice("kind", CERTIFICATE_FAULTS))
    return None


def _clear_faults(simulator: DuoSimulator, arguments: Arguments) -> object:
    simulator.faults.clear()
    simulator.transport.clear()
    return None


FAULT_COMMANDS: dict[str, Command[DuoSimulator]] = {
    "answer": Command(_answer, "kind, [path], [times]", f"gives a canned answer: {words(ANSWER_KINDS)}"),
    "refuse": Command(
        _refuse,
        "code, [path], [detail], [times], [retry_after]",
        "refuses correctly signed calls with a five-digit code, 42901 for a rate limit",
    ),
    "overwrite": Command(
        _overwrite, "members, [path]", "changes members of every right answer, null takes one away, {} ends it"
    ),
    "id_token": Command(_id_token, "kind", f"spoils every id_token, null none: {words(ID_TOKEN_FAULTS)}"),
    "callback": Command(_callback, "kind", f"spoils every return from the prompt, null none: {words(CALLBACK_FAULTS)}"),
    "clock_offset": Command(_clock_offset, "seconds", "makes the server's idea of the present wrong"),
    "delay": Command(_delay, "seconds, [jitter], [path]", "answers late, 0 no more"),
    "silence": Command(_silence, "[path], [times]", "reads requests and never answers"),
    "mute": Command(_mute, "on", "accepts connections and says nothing, not even TLS"),
    "cut": Command(_cut, "[after], [path], [times]", "closes the connection after so many bytes of the answer"),
    "reset": Command(_reset, "[path], [times]", "aborts the connection instead of answering"),
    "listen": Command(_listen, "on", "false refuses connections, true accepts them again"),
    "certificate": Command(_certificate, "kind", f"shows a wrong one, null the right one: {words(CERTIFICATE_FAULTS)}"),
    "clear_faults": Command(_clear_faults, "", "takes back every fault but those of listen and certificate"),
}
"""Every command by the name that ``do`` takes."""
