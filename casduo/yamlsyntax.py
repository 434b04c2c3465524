"""Says in plain words, and for as many places as can be told apart, why a file is not YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from casduo.errors import Problem

PROBLEM_LIMIT = 50
"""Syntax problems per file; after so many the file is not YAML at all."""

LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")

# What the parser raises for a file that is not YAML. Besides its own errors it lets through those of the conversions
# it makes on the way, such as an escape for a character that does not exist.
PARSER_ERRORS = (
    YAMLError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
    AssertionError,
)


_TAB = "a tab; YAML indents with spaces only"

_SENTENCES: Mapping[str, str] = {
    "found unexpected end of stream": "the quote that opens here is never closed",
    "found unexpected document separator": "the quote that opens here is never closed",
    "could not find expected ':'": "this line is neither 'key: value' nor part of a list",
    "mapping values are not allowed": "unexpected ': '; put a text that holds it into quotes, or mend the indentation",
    "expected '<document start>'": "the indentation does not fit the lines above",
    "expected <block end>": "the indentation does not fit the lines above",
    "sequence entries are not allowed": "a list item ('- ') cannot stand here; it needs a line of its own",
    "expected ',' or ']'": "the list that opens here with '[' is never closed, or a comma is missing in it",
    "expected ',' or '}'": "the mapping that opens here with '{' is never closed, or a comma is missing in it",
    "unknown escape character": "unknown '\\' escape in double quotes; use single quotes for a text with backslashes",
    "'\\t' that cannot start": _TAB,
    "scanning a directive": "a line cannot begin with %; put the text into quotes",
    "undefined tag handle": "tags (words that begin with '!') are not used here",
}
_AT_THE_OPENING = ("found unexpected", "expected ',' or", "could not find expected ':'")
"""Problems told where the quote, bracket or line begins, not where the parser noticed."""


def syntax_problems(text: str, file: str, error: BaseException) -> list[Problem]:
    """Return what keeps ``text`` from being YAML.

    A parser stops at the first mistake, and names the place where it noticed. So every top-level key and every item
    of a top-level list is read alone as well: that finds the others, and finds the first one where it was made.
    """
    lines = LINE_END.split(text)
    found = [_plain(mistake, file, start) for start, block in _blocks(lines) for mistake in _mistake(block)]
    found += _tabs(lines, file)
    # The tab that a block stumbled over is the one that was found by looking for tabs.
    different = {(problem.line, problem.message): problem for problem in found or [_plain(error, file, 0)]}
    return list(different.values())[:PROBLEM_LIMIT]


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Cut ``lines`` before each top-level key and each item of the top-level list; yield line offset and text."""
    item = next((found[0] for line in lines if (found := re.match(r" *- ", line))), None)
    cuts = [
        number
        for number, line in enumerate(lines)
        if re.match(r"[^\s#\-%]", line) or (item is not None and line.startswith(item))
    ]
    for start, end in pairwise([*cuts, len(lines)]):
        yield start, "\n".join(lines[start:end]) + "\n"


def _mistake(block: str) -> Iterator[BaseException]:
    try:
        for _ in YAML(typ="safe", pure=True).parse(block):
            pass
    except PARSER_ERRORS as error:
        yield error


def _tabs(lines: Sequence[str], file: str) -> Iterator[Problem]:
    for number, line in enumerate(lines, 1):
        indent = line[: len(line) - len(line.lstrip())]
        if "\t" in indent and line.strip():
            yield Problem(file, number, indent.index("\t") + 1, "", _TAB)


def _plain(error: BaseException, file: str, offset: int) -> Problem:
    if not isinstance(error, MarkedYAMLError):
        return Problem(file, offset + 1, 1, "", "is not YAML: a character or escape that cannot be read")
    problem = error.problem or ""
    mark = error.problem_mark or error.context_mark
    if problem.startswith(_AT_THE_OPENING) and error.context_mark is not None:
        mark = error.context_mark
    told = f"{error.context}: {problem}"
    sentence = next((text for key, text in _SENTENCES.items() if key in told), None)
    if sentence is None:
        start = re.search(r"found character '(.)' that cannot start", problem)
        sentence = f"a text cannot begin with {start[1]}; put it into quotes" if start else f"is not YAML: {problem}"
    line, column = (mark.line, mark.column) if mark else (0, 0)
    return Problem(file, offset + line + 1, column + 1, "", sentence)
