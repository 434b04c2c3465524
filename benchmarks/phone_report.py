"""What a shift change at IP phones gave, as Markdown, and whether it went well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles

from benchmarks.handsets import Told

GOAL = 1.5
"""How many times its p95 on a quiet server a validation may take meanwhile."""
LONGEST_PAGE = 2.0
"""Seconds that a page may take."""
KINDS = ("form", "user id and PIN", "waiting", "one moment", "login")


@dataclass(slots=True)
class Round:
    """What one shift change gave: of every person; of the stream before, meanwhile and afterwards; and the rest."""

    told: list[Told]
    quiet: list[float]
    loaded: list[float]
    again: list[float]
    failures: list[str]
    facts: dict[str, float] = field(default_factory=dict)


def went_well(one: Round) -> bool:
    """Say whether everybody was logged in, at their own phone, and nothing was left behind."""
    facts = one.facts
    left = facts["logins of somebody else"], facts["waiting when all had ended"], facts["kept after its lifetime"]
    return all(told.logged_in for told in one.told) and facts["logins in UCM"] == len(one.told) and not any(left)


def p95(seconds: list[float]) -> float:
    """Return the 95th percentile, 0 of nothing."""
    return quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else sum(seconds)


def pages_text(told: list[Told]) -> str:
    """Return how long pages took, by kind, as Markdown. Strict phones are not measured."""
    found: dict[str, list[float]] = {}
    for one in told:
        for kind, seconds in one.pages:
            found.setdefault(kind, []).append(seconds)
    head = f"| milliseconds for a page (goal: none over {1000 * LONGEST_PAGE:.0f}) | pages | median | 95 % | longest |"
    lines = [head, "| --- |" + " ---: |" * 4]
    for kind in (*KINDS, *sorted(set(found) - set(KINDS))):
        if kind in found:
            times = [1000 * seconds for seconds in found[kind]]
            lines.append(f"| {kind} | {len(times)} | {median(times):.0f} | {p95(times):.0f} | {max(times):.0f} |")
    return "\n".join(lines)


def people_text(rounds: list[Round]) -> str:
    """Return what became of the people, as Markdown: the sum over all rounds."""
    told = [one for each in rounds for one in each.told]
    strict = [one for one in told if one.person.strict]
    waited = [one.seconds for one in told if one.logged_in]

    def sum_of(fact: str) -> str:
        return f"{sum(each.facts[fact] for each in rounds):.0f}"

    rows = [
        ("people", f"{len(told)}, {len(strict)} of them at strict phones"),
        ("logged in, as their phones say", str(len(waited))),
        ("logged in, as UCM says", sum_of("logins in UCM")),
        ("somebody else on the phone", sum_of("logins of somebody else")),
        ("seconds until logged in: median, 95 %, longest", _three(waited)),
        ("typed the PIN once more", str(sum(one.typed_again for one in told))),
        ("began anew", str(sum(one.begun_again for one in told))),
        ("logins that waited when all had ended", sum_of("waiting when all had ended")),
        ("kept in Redis after their lifetime", sum_of("kept after its lifetime")),
    ]
    errors = Counter(error for one in told for error in one.errors)
    rows += [(f"told: {error}", str(count)) for error, count in errors.most_common(8)]
    lines = [f"| {name} | {text} |" for name, text in rows]
    return "\n".join(["| what became of the people | |", "| --- | ---: |", *lines])


def _three(seconds: list[float]) -> str:
    return f"{median(seconds):.1f}, {p95(seconds):.1f}, {max(seconds):.1f}" if seconds else ""


def stream_text(rounds: list[Round]) -> str:
    """Return what the stream of validations noticed, and what it all took, as Markdown: medians over the rounds."""
    quiet = [1000 * p95([*each.quiet, *each.again]) for each in rounds]
    loaded = [1000 * p95(each.loaded) for each in rounds]
    noise = median(
        max(before, after) / min(before, after)
        for before, after in ((p95(each.quiet), p95(each.again)) for each in rounds)
    )
    ratio = median(high / low for low, high in zip(quiet, loaded, strict=True))
    middle = median(1000 * median(each.quiet) for each in rounds), median(1000 * median(each.loaded) for each in rounds)
    rows = [
        ("", "nobody at the phones", "shift change", "ratio"),
        ("validation, 95 %", f"{median(quiet):.1f} ms", f"{median(loaded):.1f} ms", f"{ratio:.2f} (goal {GOAL})"),
        ("validation, median", f"{middle[0]:.1f} ms", f"{middle[1]:.1f} ms", f"{middle[1] / middle[0]:.2f}"),
        ("quiet parts differ by", f"{noise:.2f}", "", ""),
        (
            "of which the driver's, 95 %",
            *(f"{median(each.facts[f'delay, {name}'] for each in rounds):.1f} ms" for name in ("quiet", "loaded")),
            "",
        ),
    ]
    shown: dict[str, Callable[[float], str]] = {}
    for name in rounds[0].facts:
        if name.endswith(", processor"):
            shown[name] = "{:.0f} % of a core".format
        elif name.endswith(", a login"):
            shown[name] = "{:.1f} ms of processor time".format
    shown |= {"the shift change": "{:.0f} s".format, "load average": "{:.1f}".format}
    for name, form in shown.items():
        rows.append((name, "", form(median(each.facts[name] for each in rounds)), ""))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "| --- |" + " ---: |" * 3, *lines[1:]])
