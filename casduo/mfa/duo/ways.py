"""The ways in which a person can be asked: a push, a call or codes, each to one of their devices. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casduo.mfa.duo.entry import Word
from casduo.mfa.duo.gateway import Device

_WORDS: tuple[Word, ...] = ("push", "phone", "sms")


@dataclass(frozen=True, slots=True)
class Way:
    """One way. ``label`` is the device's name for people."""

    kind: Word
    device: str
    label: str

    @property
    def text(self) -> str:
        """What stands for it in a form."""
        return f"{self.kind}:{self.device}"


def ways_of(devices: Sequence[Device]) -> list[Way]:
    """Return every way, pushes first, then in the order of the devices as preauth lists them."""
    return [Way(kind, device.id, device.label) for kind in _WORDS for device in devices if kind in device.capabilities]


def named_way(devices: Sequence[Device], text: str) -> Way | None:
    """Return the way that ``text`` stands for, ``None`` where the person has none like it."""
    return next((way for way in ways_of(devices) if way.text == text), None)


def typed_way(devices: Sequence[Device], word: Word, number: int) -> Way | None:
    """Return the way that was typed: ``push2`` is a push to the second device that can have one."""
    fitting = [way for way in ways_of(devices) if way.kind == word]
    return fitting[number - 1] if 0 < number <= len(fitting) else None


def first_way(devices: Sequence[Device], last: str) -> Way | None:
    """Return the push to begin with: to the device that answered last in this browser, else to Duo's first.

    :param last: what the browser remembers. Who answered otherwise than by a push is sent nothing unasked.
    :return: ``None`` where nothing is to be sent by itself
    """
    pushes = [way for way in ways_of(devices) if way.kind == "push"]
    remembered = next((way for way in pushes if way.text == last), None)
    if remembered is not None:
        return remembered
    if last and not last.startswith("push:"):
        return None
    return pushes[0] if pushes else None
