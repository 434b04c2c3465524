"""Where the registry is changed: reads it with its history, judges a draft, saves it if nobody was faster."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from casduo.clock import Clock, system_clock
from casduo.errors import SettingsError
from casduo.services.editing.check import Finding, Verdict, caused, check
from casduo.services.editing.document import RegistryText
from casduo.services.editing.drafts import Draft, apply
from casduo.services.editing.errors import Conflict, EditError, Refused
from casduo.services.editing.file import RegistryFile, read_only_reason
from casduo.services.editing.history import Change, ChangeKind, History
from casduo.services.file import registry_version
from casduo.settings import Settings

HISTORY_FOLDER = "registry-history"

LONGEST_REASON = 500
"""Characters."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be saved.

    :param expected: version of the registry that it was made for
    :param content: the whole new registry
    :param entry: id of the entry that it is about; empty for the file as a whole
    :param by: who makes it
    """

    expected: str
    content: bytes
    kind: ChangeKind
    entry: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a draft would make of the registry.

    :param verdict: what the server would say of it; it can only be saved when that has a registry
    :param index: the place of the entry in it, from 0; None where it is gone or the change is about the whole file
    """

    text: RegistryText
    verdict: Verdict
    index: int | None

    @property
    def content(self) -> bytes:
        """The whole new registry."""
        return self.text.content

    @property
    def entry(self) -> str:
        """The id that the entry has in it; empty where it is gone, or the registry cannot be used."""
        registry = self.verdict.registry
        return registry.services[self.index].id if registry is not None and self.index is not None else ""


class RegistryDesk:
    """The registry file, as those see it who change it.

    :param path: of the file
    :param state: folder of the server's state, in which the history is kept
    :param settings: to check references against
    """

    def __init__(self, path: Path, state: Path, settings: Settings | None, clock: Clock = system_clock) -> None:
        self.path = path
        self.history = History(state / HISTORY_FOLDER)
        self._file = RegistryFile(path)
        self._settings = settings
        self._clock = clock
        self._kept: tuple[bytes, RegistryText] | None = None
        self._checked: tuple[str, Verdict] | None = None
        # What was looked at last is what is saved next, mostly: reading thousands of entries takes its time.
        self._proposed: tuple[Draft, Proposal] | None = None

    @property
    def read_only(self) -> str:
        """Why the file cannot be changed here, as a sentence; empty when it can."""
        return read_only_reason(self.path)

    def content(self) -> bytes:
        """Return what the file holds, and see to it that the history knows.

        :raises SettingsError: it cannot be read
        """
        content = self._file.read()
        if self.history.knows(registry_version(content)):
            return content
        # Not while somebody is just replacing it: what they write down would be taken for a change by hand.
        with suppress(EditError), self._file.locked():
            content = self._file.read()
            self._notice(content)
        return content

    def text(self) -> RegistryText:
        """Return the registry as it is in the file.

        :raises SettingsError: it cannot be read, is no YAML or no registry
        """
        return self._parsed(self.content())

    def text_of(self, version: str) -> RegistryText:
        """Return the registry of an earlier version.

        :raises UnknownEntry: it is not kept
        :raises SettingsError: it was no registry
        """
        return RegistryText(self.history.text(version), str(self.path))

    def check(self, text: RegistryText, index: int | None = None) -> Verdict:
        """Load and lint a text as the server would; ``index`` is the entry that somebody is at."""
        return check(text, index, self._settings, self._clock())

    def findings(self, text: RegistryText) -> Verdict:
        """Return :meth:`check` of the present file, which is only done once."""
        if self._checked is None or self._checked[0] != text.version:
            self._checked = text.version, self.check(text)
        return self._checked[1]

    def propose(self, draft: Draft) -> Proposal:
        """Return what a draft would make of the registry. Nothing is changed.

        :raises Conflict: the file is no longer the one that the draft was made for
        :raises Refused: what was typed is no YAML
        :raises EditError: the change cannot be made
        :raises SettingsError: the file cannot be read, and this is not the return to a text that could be
        """
        content = self.content()
        if registry_version(content) != draft.version:
            raise self._explained(Conflict(draft.version, content))
        proposed = self._proposed
        if proposed is not None and proposed[0] == draft:
            return proposed[1]
        if draft.kind == "returned":
            try:
                text, index = self.text_of(draft.text), None
            except SettingsError as error:
                raise Refused(error.problems) from None
        else:
            text, index = apply(draft, self._parsed(content))
        proposal = Proposal(text, self.check(text, index), index)
        self._proposed = draft, proposal
        return proposal

    def worth_a_look(self, proposal: Proposal) -> tuple[Finding, ...]:
        """Return the warnings about the entry that is changed, and those about others that the change causes."""
        own = tuple(one for one in proposal.verdict.own if one.level != "error")
        try:
            before = self.findings(self.text())
        except SettingsError:
            before = Verdict(None, (), (), ())
        return (*own, *caused(proposal.verdict, before))

    def save(self, edit: Edit) -> Change:
        """Put a new registry into the place of the old one, all checks passed, and write it down.

        :raises Refused: the server would not take it
        :raises Conflict: the file has changed since ``edit.expected``
        :raises ReadOnly: the file is not ours to change
        :raises EditError: no reason is given, nothing would change, the disk is full ...; the file is as it was
        """
        reason = " ".join(edit.reason.split())
        if not reason or len(reason) > LONGEST_REASON:
            raise EditError(f"Give a reason, of at most {LONGEST_REASON} characters.")
        self._judge(edit.content)
        with self._file.locked():
            try:
                present = self._file.expect(edit.expected)
            except Conflict as conflict:
                self._notice(conflict.content)
                raise self._explained(conflict) from None
            self._notice(present)
            if present == edit.content:
                raise EditError("Nothing has changed.")
            return self._replace(edit, reason)

    def _judge(self, content: bytes) -> None:
        proposed = self._proposed
        if proposed is not None and proposed[1].content == content and proposed[1].verdict.registry is not None:
            return
        try:
            text = RegistryText(content, str(self.path))
        except SettingsError as error:
            raise Refused(error.problems) from None
        verdict = self.check(text)
        if verdict.registry is None:
            raise Refused(tuple(problem for problem in verdict.problems if problem.level == "error"))

    def _replace(self, edit: Edit, reason: str) -> Change:
        change = Change(
            number=0,
            at=self._clock(),
            by=edit.by,
            kind=edit.kind,
            entry=edit.entry,
            reason=reason,
            before=edit.expected,
            after=registry_version(edit.content),
        )
        try:
            change = self.history.begin(change, edit.content)
        except OSError as error:
            raise EditError(f"The history cannot be written: {error.strerror}. Nothing was changed.") from None
        try:
            self._file.replace(edit.expected, edit.content)
        except BaseException:
            self._finish(change, done=False)
            raise
        self._finish(change, done=True)
        self._know(edit.content)
        return change

    def _know(self, content: bytes) -> None:
        """Keep what is known of what was saved: it is what is looked at next."""
        proposed = self._proposed
        if proposed is not None and proposed[1].content == content:
            text, verdict = proposed[1].text, proposed[1].verdict
            self._kept = content, text
            self._checked = text.version, replace(verdict, own=(), others=(*verdict.own, *verdict.others))

    def _finish(self, change: Change, *, done: bool) -> None:
        # Where it fails, what the file holds tells the next one whether the change came about.
        with suppress(OSError):
            self.history.finish(change, done=done)

    def _explained(self, conflict: Conflict) -> Conflict:
        last = self.history.last()
        if last is None:
            return conflict
        return Conflict(conflict.expected, conflict.content, last.by, last.at)

    def _notice(self, content: bytes) -> None:
        # Without a place for the history the registry can still be looked at.
        with suppress(OSError):
            self.history.notice(content, os.stat(self.path).st_mtime)

    def _parsed(self, content: bytes) -> RegistryText:
        kept = self._kept
        if kept is None or kept[0] != content:
            kept = self._kept = content, RegistryText(content, str(self.path))
        return kept[1]
