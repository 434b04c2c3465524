"""Reads the part of Webex's Markdown that people use: bold, italics, code, links, mentions and line breaks.

Whatever is not among them stays as it was written. Nothing is taken for HTML: every text is escaped on its way out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

_TOKEN = re.compile(
    r"""
    \\(?P<escaped>[^\w\s]|_)
    | (?<!`)```[^\n`]*\n(?P<block>[^`]*?)\n?```(?!`)
    | (?<!`)(?P<fence>`{1,2})(?!`)(?P<code>.+?)(?<!`)(?P=fence)(?!`)
    | <@(?P<kind>personEmail|personId):(?P<who>[^|<>\n]+)(?:\|(?P<name>[^<>\n]*))?>
    | (?P<all><@all(?:\|[^<>\n]*)?>)
    | \[(?P<label>(?:[^\[\]\\\n]|\\.)+)\]\((?P<url>https?://[^\s()<>"]+)\)
    | (?P<run>\*+|_+)
    | (?P<newline>\n)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of text.

    :param value: the text; for a link its address, for a mention the id of who is mentioned
    :param children: of what is bold, in italics or a link
    """

    kind: Literal["text", "strong", "emphasis", "code", "block", "link", "mention", "break"]
    value: str = ""
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Somebody who is mentioned: an id and a name to show."""

    id: str
    name: str


_LONGEST_RUN = 3
_MOST_OPEN = 12

Resolve = Callable[[str, str], Mentioned | None]
"""Finds whom a mention means, from ``personEmail`` or ``personId`` and its value; None where there is nobody."""

ALL = "all"
"""The id in a mention of everybody."""


def parse(source: str, resolve: Resolve | None = None) -> tuple[Node, ...]:
    """Read Markdown.

    :param resolve: None for texts that cannot mention anybody; then a mention is a text like any other
    """
    reader = _Reader()
    end = 0
    for match in _TOKEN.finditer(source):
        if match.start() > end:
            reader.nodes.append(Node("text", source[end : match.start()]))
        if match["run"]:
            reader.mark(
                match["run"], source[max(0, match.start() - 1) : match.start()], source[match.end() : match.end() + 1]
            )
        else:
            reader.nodes.append(_node(match, resolve))
        end = match.end()
    if end < len(source):
        reader.nodes.append(Node("text", source[end:]))
    return tuple(reader.nodes)


def html(nodes: Sequence[Node]) -> Markup:
    """Return HTML without anything in it that was not asked for."""
    return Markup("").join(_html(node) for node in nodes)


def plain(nodes: Sequence[Node]) -> str:
    """Return the text alone."""
    return "".join(_plain(node) for node in nodes)


def mentions(nodes: Sequence[Node]) -> list[str]:
    """Return the ids of those who are mentioned, each once."""
    found = [node.value for node in _walk(nodes) if node.kind == "mention"]
    return list(dict.fromkeys(found))


@dataclass(slots=True)
class _Opener:
    """Marks that may begin something: where they stand among the nodes, and how many are left of them."""

    place: int
    letter: str
    left: int


class _Reader:
    """Collects nodes; what stands between two marks that belong together becomes one, in time that grows with the text.

    The rules are those of CommonMark 0.31 section 6.2, without the one about sums that three divides.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._openers: list[_Opener] = []

    def mark(self, run: str, before: str, after: str) -> None:
        """Take a run of stars or underlines that stands between two letters."""
        opens = bool(after) and not after.isspace()
        closes = bool(before) and not before.isspace()
        if run[0] == "_":
            opens, closes = opens and not before.isalnum(), closes and not after.isalnum()
        # Nobody means more than three marks, and nobody writes so deep; both keep the nesting shallow.
        usable = len(run) <= _LONGEST_RUN
        left = self._close(run[0], len(run)) if closes and usable else len(run)
        if left:
            self.nodes.append(Node("text", run[0] * left))
            if opens and usable and len(self._openers) < _MOST_OPEN:
                self._openers.append(_Opener(len(self.nodes) - 1, run[0], left))

    def _close(self, letter: str, left: int) -> int:
        """End what began with such marks; returns how many are left over."""
        while left and any(opener.letter == letter for opener in self._openers):
            while self._openers[-1].letter != letter:
                self._openers.pop()
            opener = self._openers[-1]
            used = 2 if left >= 2 and opener.left >= 2 else 1
            inside = tuple(self.nodes[opener.place + 1 :])
            del self.nodes[opener.place :]
            opener.left -= used
            left -= used
            if opener.left:
                self.nodes.append(Node("text", letter * opener.left))
            else:
                self._openers.pop()
            self.nodes.append(Node("strong" if used == 2 else "emphasis", children=inside))
        return left


def _node(match: re.Match[str], resolve: Resolve | None) -> Node:
    if match["escaped"]:
        return Node("text", match["escaped"])
    if match["block"] is not None:
        return Node("block", match["block"])
    if match["fence"]:
        return Node("code", match["code"])
    if match["kind"] or match["all"]:
        return Node("text", match[0]) if resolve is None else _mention(match, resolve)
    if match["label"]:
        return Node("link", match["url"], parse(match["label"]))
    return Node("break")


def _mention(match: re.Match[str], resolve: Resolve) -> Node:
    if match["all"]:
        return Node("mention", ALL, (Node("text", "All"),))
    found = resolve(match["kind"], match["who"].strip())
    if found is None:
        return Node("text", match["name"] or match["who"])
    return Node("mention", found.id, (Node("text", match["name"] or found.name),))


def _html(node: Node) -> Markup:
    inner = html(node.children)
    match node.kind:
        case "text":
            return escape(node.value)
        case "strong":
            return Markup("<strong>{}</strong>").format(inner)
        case "emphasis":
            return Markup("<em>{}</em>").format(inner)
        case "code":
            return Markup("<code>{}</code>").format(node.value)
        case "block":
            return Markup("<pre><code>{}</code></pre>").format(node.value)
        case "link":
            return Markup('<a href="{}" rel="nofollow noreferrer" target="_blank">{}</a>').format(node.value, inner)
        case "mention" if node.value == ALL:
            return Markup(
                '<spark-mention data-object-type="groupMention" data-group-type="all">{}</spark-mention>'
            ).format(inner)
        case "mention":
            return Markup('<spark-mention data-object-type="person" data-object-id="{}">{}</spark-mention>').format(
                node.value, inner
            )
        case "break":
            return Markup("<br>")


def _plain(node: Node) -> str:
    if node.kind == "break":
        return "\n"
    return node.value if node.kind in ("text", "code", "block") else plain(node.children)


def _walk(nodes: Sequence[Node]) -> list[Node]:
    return [each for node in nodes for each in (node, *_walk(node.children))]
