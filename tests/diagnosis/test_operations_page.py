"""docs/operations.md says what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from casduo.diagnosis.model import Finding
from casduo.diagnosis.text import as_text, as_values
from casduo.outbound.tls import Verdict
from casduo.settings import Settings
from casduo.yamlfile import parse_yaml

ROOT = Path(__file__).parents[2]
# Behind it stands how the server is run.
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Signals")[0]
CODE = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "casduo" / "diagnosis").glob("*.py"))


def test_the_settings_of_the_page_are_accepted() -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    settings = Settings.model_validate(parse_yaml(block.encode(), "docs/operations.md").data)
    assert [str(network) for network in settings.health.networks] == ["127.0.0.0/8", "::1/128", "10.20.30.0/24"]


def test_the_report_of_the_page_has_the_form_of_a_report() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    report = json.loads(block)
    assert list(report) == ["level", "at", "findings"]
    for values in report["findings"]:
        assert as_values(Finding(**values)) == values


def test_the_lines_of_the_page_look_as_they_do_on_a_terminal() -> None:
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.S)
    lines = [line for line in block.splitlines() if re.match(r"  (ok|attention|fault) ", line)]
    for line in lines:
        level, examined, found = re.split(r" {2,}", line.strip(), maxsplit=2)
        assert as_text(Finding("", examined, level, found)) == f"{line}\n"  # type: ignore[arg-type]
    counts = [sum(line.startswith(f"  {level} ") for line in lines) for level in ("fault", "attention", "ok")]
    assert f"{counts[0]} fault, {counts[1]} to look at, {counts[2]} well" in block


def test_the_words_about_webex_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| .*?\| ((?:`[a-z_]+`(?:, )?)+) \|", PAGE.partition("### Webex")[2].partition("## ")[0], re.M)
    words = {word for row in rows for word in re.findall(r"`([a-z_]+)`", row)}
    assert len(words) > 15
    assert {word for word in words if f'"{word}"' not in CODE} <= set(Verdict)


@pytest.mark.parametrize(
    "word", sorted(set(re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", PAGE.partition("### The certificate")[2], re.M)))
)
def test_the_fixed_words_of_the_page_are_those_of_the_code(word: str) -> None:
    for each in re.findall(r"`([a-z_]+)`", word):
        assert f'"{each}"' in CODE
