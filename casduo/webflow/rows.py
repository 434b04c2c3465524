"""Rows that several flows have."""

from __future__ import annotations

from casduo.webflow.engine import State, action


def service_still_there(
    name: str, goes_on: str, *, gone: str = "serviceGone", disabled: str = "serviceDisabled"
) -> State:
    """Return the row that looks at the service once more: the registry may have changed while somebody was away, and
    what comes next goes by what it says now.

    :param goes_on: the state after it
    :param gone: the state where there is no such service any more
    :param disabled: the state where it was switched off
    """
    return action(
        name,
        "service.check",
        {"registered": goes_on, "disabled": disabled, "unregistered": gone, "malformed": gone, "noService": gone},
    )
