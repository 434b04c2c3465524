"""What Markdown becomes, and that nothing in it ever becomes markup of its own."""

from __future__ import annotations

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.simulators.webex import markdown

PEOPLE = {"luke@example.edu": markdown.Mentioned("id-1", "Luke Skywalker")}


def rendered(source: str) -> str:
    return str(markdown.html(markdown.parse(source, lambda how, who: PEOPLE.get(who))))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("**bold** and __bold__", "<strong>bold</strong> and <strong>bold</strong>"),
        ("*it* and _it_", "<em>it</em> and <em>it</em>"),
        ("***both***", "<em><strong>both</strong></em>"),
        ("**bold with *it* inside**", "<strong>bold with <em>it</em> inside</strong>"),
        ("**bold *both***", "<strong>bold <em>both</em></strong>"),
        (r"**a \*\* b**", "<strong>a ** b</strong>"),
        ("snake_case_name 2 * 3 * 4", "snake_case_name 2 * 3 * 4"),
        ("`a **b**`", "<code>a **b**</code>"),
        ("``a ` b``", "<code>a ` b</code>"),
        ("```\nx < y\n```", "<pre><code>x &lt; y</code></pre>"),
        ("a\nb", "a<br>b"),
        (r"\*no\* \_no\_ \[x\]\(https://a.example\) \<@all\>", "*no* _no_ [x](https://a.example) &lt;@all&gt;"),
        (
            "[a *b*](https://example.edu/?x=1&y=2)",
            '<a href="https://example.edu/?x=1&amp;y=2" rel="nofollow noreferrer" target="_blank">a <em>b</em></a>',
        ),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("<script>alert(1)</script> & \"'", "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &#34;&#39;"),
        (
            "<@personEmail:luke@example.edu>",
            '<spark-mention data-object-type="person" data-object-id="id-1">Luke Skywalker</spark-mention>',
        ),
        ("<@personEmail:nobody@example.edu|Nobody>", "Nobody"),
        ("<@all>", '<spark-mention data-object-type="groupMention" data-group-type="all">All</spark-mention>'),
        ("", ""),
        ("**", "**"),
        ("****", "****"),
        ("`", "`"),
    ],
)
def test_what_it_becomes(source: str, expected: str) -> None:
    assert rendered(source) == expected


def test_a_text_that_mentions_nobody_keeps_what_looks_like_it() -> None:
    words = "<@all> <@personEmail:luke@example.edu|Luke>"
    assert markdown.plain(markdown.parse(words)) == words


def test_the_plain_text_and_who_is_mentioned() -> None:
    nodes = markdown.parse("**<@personEmail:luke@example.edu|Luke>**,\nsee `x` <@all>", lambda how, who: PEOPLE[who])
    assert markdown.plain(nodes) == "Luke,\nsee x All"
    assert markdown.mentions(nodes) == ["id-1", "all"]


@given(st.text(alphabet=st.sampled_from("*_`[]()<>@|\\\n ab:/\"'&https") | st.characters(codec="utf-8"), max_size=60))
def test_nothing_but_known_elements_comes_out(source: str) -> None:
    fragment = html5lib.parseFragment(rendered(source), namespaceHTMLElements=False)
    elements = list(fragment.iter())[1:]
    known = {"strong", "em", "code", "pre", "a", "br", "spark-mention"}
    assert {element.tag for element in elements} <= known
    for element in elements:
        assert set(element.keys()) <= {"href", "rel", "target", "data-object-type", "data-object-id", "data-group-type"}
        assert element.get("href", "https://").startswith(("https://", "http://"))


@given(st.text(max_size=60))
def test_what_is_escaped_stays_text(source: str) -> None:
    escaped = "".join(f"\\{letter}" if letter in "\\`*_~[]()<>#!|@" else letter for letter in source)
    assert markdown.plain(markdown.parse(escaped)) == source
    assert {node.kind for node in markdown.parse(escaped)} <= {"text", "break"}


def test_long_and_hostile_texts_are_read_quickly() -> None:
    for source in ("*" * 7000, "[" * 7000, "**a " * 1700, "`" * 7000, "_a" * 3500, "<@" * 3500, "[a](" * 1700):
        assert markdown.plain(markdown.parse(source))


def test_no_text_nests_without_end() -> None:
    for source in ("*a " * 1200 + "b* " * 1200, "*" * 3000 + "a" + "*" * 3000, "**_" * 1000 + "a" + "_**" * 1000):
        assert "a" in rendered(source)
