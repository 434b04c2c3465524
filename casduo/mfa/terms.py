"""What holds for one service when Duo is asked: its own rule, completed by its Duo application and by the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from casduo.services.policies import NEVER, DuoRule
from casduo.settings.duo import DuoSettings

FailMode = Literal["closed", "open"]
Prompt = Literal["universal", "push"]


@dataclass(frozen=True, slots=True)
class DuoTerms:
    """How Duo is asked.

    :param application: name of one of the settings' ``duo.applications``, empty for the main one
    :param prompt: Duo's own page (``universal``) or the built-in one (``push``)
    :param fail: whether people get in without Duo while Duo cannot be reached
    :param accept_allow: whether Duo's "allow without a factor" is enough
    :param trusted_browser: seconds for which a browser that passed Duo is trusted, 0 for never
    :param enrollment_url: where people without a device are sent, empty for the built-in pages
    """

    application: str = ""
    prompt: Prompt = "universal"
    fail: FailMode = "closed"
    accept_allow: bool = True
    trusted_browser: float = 0.0
    enrollment_url: str = ""

    def on_phones(self) -> DuoTerms:
        """Return the same for a service of phones: they show no page of Duo's, and are nobody's own."""
        return replace(self, prompt="push", trusted_browser=NEVER)


@dataclass(frozen=True, slots=True)
class DuoDefaults:
    """What the settings say: the terms of the main Duo application, and those of the others by name."""

    main: DuoTerms = DuoTerms()
    applications: Mapping[str, DuoTerms] = field(default_factory=dict)

    def terms(self, rule: DuoRule | None) -> DuoTerms:
        """Return the terms for a service with this rule.

        :raises KeyError: the rule names an application that is not set up; loading the registry rules that out
        """
        if rule is None:
            return self.main
        terms = self.applications[rule.application] if rule.application else self.main
        return replace(
            terms,
            prompt=rule.prompt or terms.prompt,
            fail=rule.fail or terms.fail,
            trusted_browser=terms.trusted_browser if rule.trusted_browser is None else rule.trusted_browser,
        )


def duo_defaults(duo: DuoSettings | None) -> DuoDefaults:
    """Return what the section ``duo`` of the settings says.

    :param duo: ``None`` where there is none: then nobody can be asked, and nobody is let pass
    """
    if duo is None:
        return DuoDefaults(DuoTerms(accept_allow=False))
    others = {name: _terms(duo.for_application(name), name) for name in duo.applications}
    return DuoDefaults(_terms(duo, ""), others)


def _terms(duo: DuoSettings, application: str) -> DuoTerms:
    return DuoTerms(
        application=application,
        prompt=duo.prompt,
        fail=duo.fail,
        accept_allow=duo.accept_preauth_allow,
        trusted_browser=duo.trusted_browser or NEVER,
        enrollment_url=duo.enrollment_url or "",
    )
