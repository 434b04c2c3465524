"""The job that asks Duo what it would have done at services in report mode."""

from __future__ import annotations

from casduo.events.model import DuoWouldHave, Subject
from casduo.mfa.duo.errors import DuoFailure
from casduo.mfa.duo.reports import REPORTS, Report, report_from
from casduo.store.streams import Entry
from casduo.worker.errands import Errands
from casduo.worker.parts import Parts

LEASE = 60.0
_AT_ONCE = 2
"""Questions under way at a time. Nobody waits for them, and logins that need Duo come first."""


class DuoReports:
    """Puts queued questions to Duo as long as the worker runs, and writes the answers to the journal.

    :param lease: seconds without a sign of life of a worker after which others take over what it held
    """

    name = "duo-reports"

    def __init__(self, parts: Parts, lease: float = LEASE) -> None:
        self._parts = parts
        self._errands = Errands(parts, self.name, REPORTS, self._carry_out, lease=lease, most=_AT_ONCE)

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        if self._parts.settings.duo is None:
            self._parts.stopping.wait()
        else:
            self._errands.run()

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`."""
        self._errands.finish(seconds)

    def _carry_out(self, entry: Entry) -> bool:
        report = report_from(entry.fields)
        outcome, detail = self._ask(report)
        about = Subject(address=report.address, principal=report.principal, service=report.service)
        self._parts.journal.write(DuoWouldHave(about, outcome=outcome, reasons=report.reasons, detail=detail))
        return True

    def _ask(self, report: Report) -> tuple[str, str]:
        try:
            preauth = self._parts.duo.of(report.application).preauth(report.principal, report.address)
        except DuoFailure as failure:
            # A name that Duo does not know is one to enrol; see the decision table of the login.
            unknown = failure.detail in ("username", "user_id")
            return ("enroll", "") if unknown else ("unavailable", failure.detail)
        return preauth.result.value, ""
