"""The phone's HTTP side: requests with its headers and cookies, answers judged, both on record."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from casduo.simulators.phone.answers import Content, read_answer
from casduo.simulators.phone.cookies import CookieJar
from casduo.simulators.phone.errors import Refusal
from casduo.simulators.phone.exchange import Answer, Call, Network
from casduo.simulators.phone.presets import Preset
from casduo.simulators.phone.uris import masked


@dataclass(frozen=True, slots=True)
class Sent:
    """A request the phone made.

    :param target: path and query, with secret values as stars.
    :param at: the phone's time in epoch seconds.
    :param status: HTTP status of the answer; 0 where none came.
    """

    method: str
    target: str
    at: float
    status: int

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


class Fetcher:
    """Fetches pages for one phone.

    :param clock: the phone's time in epoch seconds.
    :param prepare: applied to every decoded document before it is parsed.
    """

    def __init__(
        self,
        preset: Preset,
        language: str,
        network: Network,
        clock: Callable[[], float],
        prepare: Callable[[str], str],
    ) -> None:
        self.cookies = CookieJar()
        self.requests: list[Sent] = []
        self.violations: list[str] = []
        self._preset = preset
        self._headers = preset.headers(language)
        self._network = network
        self._clock = clock
        self._prepare = prepare
        self._secret_names: set[str] = set()

    def hide(self, names: Collection[str]) -> None:
        """Mask the values of these query names from now on."""
        self._secret_names.update(names)

    def fetch(self, call: Call) -> Content:
        """Make a request and judge its answer. Violations are noted, also the one that refuses the answer.

        :raises Refusal: there is nothing to show but an error.
        """
        where = f"{call.method} {urlsplit(call.url).path or '/'}"

        def remark(text: str) -> None:
            self.violations.append(f"{where}: {text}")

        try:
            answer = self._send(call)
            now = self._clock()
            if self._preset.cookies:
                for header in answer.all("Set-Cookie"):
                    self.cookies.take(header, call.url, now, remark)
            return read_answer(answer, self._preset, now, self._prepare, remark)
        except Refusal as refusal:
            if refusal.blame:
                remark(f"{refusal.prompt}: {refusal}")
            raise

    def ask(self, url: str, most: int) -> Answer:
        """Fetch what is not a page, without cookies and without a record.

        :param most: bytes to read of it, and one more where there is more.
        :raises Refusal: nobody answered.
        """
        return self._network.exchange(Call(url), self._headers, host_is_address=False, most=most)

    def _send(self, call: Call) -> Answer:
        now = self._clock()
        cookies = self.cookies.header(call.url, now) if self._preset.cookies else ""
        headers = (*self._headers, ("Cookie", cookies)) if cookies else self._headers
        status = 0
        try:
            answer = self._network.exchange(
                call, headers, host_is_address=self._preset.host_is_address, most=self._preset.max_bytes
            )
            status = answer.status
            return answer
        finally:
            self.requests.append(Sent(call.method, masked(call.target, self._secret_names), now, status))
