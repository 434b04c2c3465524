"""The dashboard and the alerts: every number that they ask for exists, is asked for rightly, and none is forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from casduo.metrics.table import INSTRUMENTS, OTHER, Instrument
from casduo.yamlfile import parse_yaml

ROOT = Path(__file__).parents[2]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/casduo.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
ALERTS_FILE = ROOT / "deploy/prometheus/alerts.yaml"
MONITORING = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")

FOREIGN = {"up", "job", "instance"}
"""What Prometheus adds itself: a metric, and labels."""


def rules() -> list[dict[str, Any]]:
    document = parse_yaml(ALERTS_FILE.read_bytes(), str(ALERTS_FILE))
    return [dict(rule) for group in document.data["groups"] for rule in group["rules"]]


RULES = rules()


def series() -> dict[str, Instrument]:
    """Return by which names Prometheus keeps the metrics."""
    found = {}
    for each in INSTRUMENTS:
        endings = ("_bucket", "_count", "_sum") if each.kind == "histogram" else ("",)
        found.update({each.name + ending: each for ending in endings})
    return found


SERIES = series()


def expressions() -> Iterator[tuple[str, str]]:
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        if "expr" in annotation:
            yield annotation["name"], annotation["expr"]
    for rule in RULES:
        yield rule["alert"], rule["expr"]


EXPRESSIONS = list(expressions())


def parsed(expression: str) -> Any:
    # Grafana puts its variables in before Prometheus sees the expression.
    return promql_parser.parse(expression.replace("$__rate_interval", "5m").replace("$__all", ".*"))


def selectors(expression: Any) -> list[Any]:
    """Return every selector of a metric in an expression."""
    found = []

    def look(node: Any) -> bool:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        return True

    promql_parser.walk(expression, look)
    return found


def labels_known(instrument: Instrument | None) -> set[str]:
    return FOREIGN | {"le"} | (set(instrument.labels) if instrument is not None else set())


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_an_expression_is_one_and_asks_for_what_there_is(where: str, expression: str) -> None:
    found = selectors(parsed(expression))
    assert found
    for selector in found:
        instrument = SERIES.get(selector.name)
        assert instrument is not None or selector.name in FOREIGN, f"{where}: there is no {selector.name}"
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels_known(instrument), f"{where}: {selector.name} has no {matcher.name}"
            known = instrument.labels.get(matcher.name) if instrument is not None else None
            if known and matcher.op == promql_parser.MatchOp.Equal:
                assert matcher.value in (*known, OTHER), f"{where}: {matcher.name} is never {matcher.value}"
            if known and matcher.op in (promql_parser.MatchOp.Re, promql_parser.MatchOp.NotRe):
                for word in matcher.value.split("|"):
                    assert any(re.fullmatch(word, value) for value in known), f"{where}: {word}"


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_sums_are_by_labels_that_there_are(where: str, expression: str) -> None:
    grouped = {label.strip() for found in re.findall(r"\bby \(([^)]*)\)", expression) for label in found.split(",")}
    known = set().union(*(labels_known(SERIES.get(selector.name)) for selector in selectors(parsed(expression))))
    assert grouped <= known, where


def test_counters_are_asked_for_their_rate_and_histograms_for_their_quantiles() -> None:
    for where, expression in EXPRESSIONS:
        for name in re.findall(r"casduo_\w+", expression):
            if name.endswith(("_total", "_count", "_bucket", "_sum")):
                assert re.search(rf"(rate|increase)\({name}\b", expression), f"{where}: {name}"


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {SERIES[name].name for panel in PANELS for target in panel.get("targets", ()) for name in used(target)}
    assert {each.name for each in INSTRUMENTS} == shown


def used(target: dict[str, Any]) -> set[str]:
    return {selector.name for selector in selectors(parsed(target["expr"]))}


def test_panels_have_a_place_of_their_own() -> None:
    identifiers = [panel["id"] for panel in PANELS]
    assert len(identifiers) == len(set(identifiers))
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_is_of_the_chosen_source_and_instances() -> None:
    variables = [variable["name"] for variable in DASHBOARD["templating"]["list"]]
    assert variables == ["datasource", "job", "instance"]
    assert DASHBOARD["schemaVersion"] >= 38, "Grafana 10"
    for panel in PANELS:
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"
            for selector in selectors(parsed(target["expr"])):
                asked = {matcher.name for matcher in selector.matchers.matchers}
                assert {"job", "instance"} <= asked, panel["title"]


def test_every_alert_says_how_urgent_it_is_and_what_to_do() -> None:
    names = [rule["alert"] for rule in RULES]
    assert len(names) == len(set(names))
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["runbook"] == f"docs/monitoring.md#{rule['alert'].lower()}"
        assert f"### {rule['alert']}\n" in MONITORING
        assert re.fullmatch(r"\d+[mh]", rule.get("for", "0m"))


def test_there_is_advice_for_no_alert_that_does_not_exist() -> None:
    assert set(re.findall(r"^### (Casduo\w+)$", MONITORING, re.M)) == {rule["alert"] for rule in RULES}
