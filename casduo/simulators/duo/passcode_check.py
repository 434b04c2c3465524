"""Judges a passcode against everything its user could have read it from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from casduo.simulators.duo.model import Device, Token, User
from casduo.simulators.duo.passcodes import CodeGenerator, CodeList, Verdict


@dataclass(frozen=True, slots=True)
class PasscodeCheck:
    """What a passcode turned out to be: its verdict, and the device it came from unless it was a bypass code."""

    verdict: Verdict
    device: Device | None = None
    factor: str = ""


def check_passcode(user: User, passcode: str, now: float) -> PasscodeCheck:
    """Judge a passcode; a valid one is used up. Spaces in it do not matter.

    :param now: epoch seconds.
    """
    passcode = "".join(passcode.split())
    checks = [PasscodeCheck(user.bypass_codes.check(passcode, now), None, "bypass_code")]
    for source, device, factor in _sources(user):
        if checks[-1].verdict is Verdict.VALID:
            break
        checks.append(PasscodeCheck(source.check(passcode), device, factor))
    return next(
        (check for wanted in (Verdict.VALID, Verdict.USED) for check in checks if check.verdict is wanted),
        PasscodeCheck(Verdict.WRONG),
    )


def _sources(user: User) -> Iterator[tuple[CodeGenerator | CodeList, Device, str]]:
    for device in user.usable_devices:
        if isinstance(device, Token):
            yield device.generator, device, "hardware_token"
            continue
        if "mobile_otp" in device.abilities:
            yield device.generator, device, "duo_mobile_passcode"
        yield device.sms_codes, device, "sms_passcode"
