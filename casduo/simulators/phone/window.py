"""The service's window: the page in it, the pages behind it, and what keys and URIs do there."""

from __future__ import annotations

from collections.abc import Callable

from casduo.simulators.phone.answers import Content
from casduo.simulators.phone.errors import NoSuchKey, Refusal
from casduo.simulators.phone.exchange import Call
from casduo.simulators.phone.fetching import Fetcher
from casduo.simulators.phone.objects import Displayable, Execution, SoftKey
from casduo.simulators.phone.page import Page, UrlStack
from casduo.simulators.phone.presets import Preset
from casduo.simulators.phone.uris import SOFTKEY_ACTIONS, check_url, encoded, is_http, with_query

MOST_EXECUTIONS = 3
"""How many Execute objects in a row are followed before they are taken for a loop."""

_PARAMETER = "QueryStringParam:"


class Window:
    """One service on the display of one phone. Not safe for several threads by itself.

    :param clock: the phone's time in epoch seconds.
    :param service_url: what the services key opens.
    :param service_name: the title of a first page without one.

    ``page`` is None while the window is closed, ``error`` stands on the prompt line, ``performed`` holds the URIs that
    were carried out and change nothing here.
    """

    def __init__(
        self, preset: Preset, fetcher: Fetcher, clock: Callable[[], float], service_url: str, service_name: str
    ) -> None:
        self.page: Page | None = None
        self.error = ""
        self.performed: list[str] = []
        self._preset = preset
        self._fetcher = fetcher
        self._clock = clock
        self._service_url = service_url
        self._service_name = service_name
        self._stack = UrlStack()
        self._executions = 0

    @property
    def shown(self) -> Page:
        """The page.

        :raises NoSuchKey: the window is closed.
        """
        if self.page is None:
            raise NoSuchKey("no service is open")
        return self.page

    def open_service(self) -> None:
        """Close whatever is open and open the service."""
        self.close()
        try:
            check_url(self._service_url, "the service's address", self._fetcher.violations.append)
        except Refusal as refusal:
            self.error = refusal.prompt
            self._fetcher.violations.append(str(refusal))
        else:
            self.visit(self._service_url, self._service_name)

    def close(self) -> None:
        """Close the window; where phones have windows this forgets the cookies."""
        self.page = None
        self.error = ""
        self._stack.clear()
        if self._preset.windows:
            self._fetcher.cookies.clear()

    def visit(self, url: str, name: str) -> None:
        """Fetch a page that follows the present one. ``name`` becomes its title where it has none."""
        self._executions = 0
        self._fetch(Call(url), name, keep=True)

    def press(self, key: SoftKey) -> None:
        """Do what a softkey of the page is for."""
        page = self.shown
        item = page.item
        self._executions = 0
        if item is not None and key.url.startswith(_PARAMETER) and is_http(item.url):
            self._perform(with_query(item.url, key.url.removeprefix(_PARAMETER)), item.name)
        elif item is not None and item.url.startswith(_PARAMETER) and is_http(key.url):
            self._perform(with_query(key.url, item.url.removeprefix(_PARAMETER)), item.name)
        else:
            self._perform(key.url, page.name)

    def select(self) -> None:
        """Choose the menu item under the cursor. A bare ``QueryStringParam`` leads nowhere without a softkey."""
        item = self.shown.item
        if item is not None and not item.url.startswith(_PARAMETER):
            self._perform(item.url, item.name)

    def back(self) -> None:
        """Fetch the page before this one again; close the window where there is none."""
        place = self._stack.pop()
        if place is None:
            self.close()
        elif not self._fetch(Call(place.url), place.name, keep=False):
            self._stack.keep(place)

    def refresh(self, now: float) -> bool:
        """Carry out a Refresh that is due. Returns whether one was."""
        page = self.page
        if page is None or page.due is None or now < page.due:
            return False
        # One that fails is not tried again: nobody says that phones do.
        page.due = None
        self._executions = 0
        self._replace(page.next_url)
        return True

    def take(self, pushed: Displayable | Execution) -> None:
        """Show or carry out an object that did not come as an answer."""
        self._executions = 0
        self.error = ""
        if isinstance(pushed, Displayable):
            self._leave()
        self._show("", "", Content(pushed, "utf-8", None, expired=True))

    def _perform(self, uri: str, name: str) -> None:
        """Carry out a URI: fetch it, or do what it tells the phone."""
        action = uri.removeprefix("SoftKey:")
        if is_http(uri):
            self._fetch(Call(uri), name, keep=True)
        elif uri == "Init:Services":
            self.close()
        elif uri == "Key:Services":
            self.open_service()
        elif action == uri:
            self.performed.append(uri)
        elif self.page is not None and action in SOFTKEY_ACTIONS[self.page.content.kind]:
            self._act(self.page, action)

    def _act(self, page: Page, action: str) -> None:
        match action:
            case "Select":
                self.select()
            case "Submit":
                self._submit(page)
            case "<<":
                page.erase()
            case "Update":
                self._replace(page.url)
            case "Next":
                self._replace(page.next_url)
            case _:
                self.back()

    def _submit(self, page: Page) -> None:
        url, pairs = page.content.url, page.values.items()
        if page.content.posts and self._preset.posts:
            call = Call(url, encoded(pairs, page.charset, form=True).encode("ascii"))
        else:
            call = Call(with_query(url, encoded(pairs, page.charset, form=False)))
        self._fetch(call, page.name, keep=True)

    def _replace(self, url: str) -> None:
        """Fetch a page in the place of the present one; a pushed page has no address to fetch again."""
        if url:
            self._fetch(Call(url), self.shown.name, keep=False)

    def _fetch(self, call: Call, name: str, *, keep: bool) -> bool:
        """Fetch a page and show it, or say on the prompt line why not. ``keep`` leaves the present one in the stack."""
        self.error = ""
        try:
            content = self._fetcher.fetch(call)
        except Refusal as refusal:
            self.error = refusal.prompt
            return False
        if keep and isinstance(content.object, Displayable):
            self._leave()
        self._show(call.url, name, content)
        return True

    def _show(self, url: str, name: str, content: Content) -> None:
        if isinstance(content.object, Execution):
            self._carry_out(content.object)
            return
        self._fetcher.hide([item.name for item in content.object.inputs if item.masked])
        refresh = content.refresh
        due = self._clock() + refresh.seconds if refresh is not None and refresh.seconds else None
        self.page = Page(url, name, content.object, content.charset, refresh, content.expired, due, self._preset)

    def _carry_out(self, execution: Execution) -> None:
        self._executions += 1
        if self._executions > MOST_EXECUTIONS:
            self._fetcher.violations.append("Execute objects that lead to each other without end")
            return
        for uri in execution.uris:
            self._perform(uri, "")

    def _leave(self) -> None:
        if self.page is not None:
            self._stack.leave(self.page)
