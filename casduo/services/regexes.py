"""Takes a regular expression for URLs apart into scheme, host, port and rest, and refuses those that are dangerous.

What can be slow is refused for other texts too: :func:`check_expression`.

Three things go wrong with regular expressions over whole URLs, and all three have opened single-sign-on servers:

- ``https://.*example\\.edu/.*`` finds its host in another host's path. Here the host part is cut off at the first slash
  outside brackets and matched against the host alone, so it can never reach into the path.
- ``https://library.example.edu/.*`` also accepts ``library-example.edu``. A bare dot in the host is refused.
- Some expressions take minutes for a text made to be slow. Python's engine has no time limit, so the form is limited:
  see :func:`_check_cost`. A service is at most 8 KiB, for which what remains takes two seconds at the very worst.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

from casduo.services.globs import Glob
from casduo.services.urls import MAX_BYTES

MAX_LENGTH = 512
MAX_HOST = 253
MAX_STEPS = 2 * MAX_BYTES**2
"""Ways to read a text that an expression may have: behind the host, two ``.*`` and one question mark."""

_SCHEME = re.compile(r"\^?(?:([a-z][a-z0-9]*)(\?)?|\((?:\?:)?([a-z0-9]+(?:\|[a-z0-9]+)*)\)):(?:\\?/){2}")
_TOKEN = re.compile(
    r"(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<open>\((?:\?:)?)|(?P<close>\))"
    r"|(?P<repeat>[*+?]|\{[0-9]*,?[0-9]*\})|(?P<or>\|)|(?P<plain>.)",
    re.DOTALL,
)
_PORT = re.compile(r"(?P<bracket>\((?:\?:)?)?:(?P<number>[0-9]{1,5}|(?:\\d|\[0-9\])[+*])(?(bracket)\)(?P<maybe>\?)?)")
_LITERAL_HOST = re.compile(r"(?:[a-z0-9_-]|\\[.-])+")
_ESCAPES_ALLOWED = frozenset("dDwWsSbB")


@dataclass(frozen=True, slots=True)
class UrlRegex:
    """The parts of an expression; ``host`` and ``rest`` are to be used with ``fullmatch``.

    ``literal_host`` is the host when the expression allows one only, else empty. ``port`` is ``None`` when the
    expression names no port; ``default_port`` says whether the scheme's default is accepted too.
    """

    schemes: frozenset[str]
    host: re.Pattern[str]
    literal_host: str
    port: Glob | None
    default_port: bool
    rest: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    depth: int


def read_regex(text: str) -> UrlRegex:
    """Take ``text``, the expression without its ``regex:``, apart.

    ``^`` at the start and ``$`` at the end are allowed and change nothing.

    :raises ValueError: with a sentence, if it is no expression, has no plain scheme or no slash after the host, has a
        bare dot in the host, or could be slow
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a regular expression has at most {MAX_LENGTH} characters")
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise ValueError("a regular expression starts with its scheme, such as https:// or https?://")
    body = text[scheme.end() :]
    tokens = _tokens(body)
    if tokens and tokens[-1].text == "$" and tokens[-1].kind == "plain":
        body = body[:-1]
        tokens.pop()
    _check_form(tokens)
    slash = next((token.start for token in tokens if token.depth == 0 and token.text in {"/", "\\/"}), -1)
    if slash < 0:
        raise ValueError(
            "a regular expression needs a slash after the host, outside of brackets: https://host\\.edu/.*"
        )
    host, port, default_port = _authority(body[:slash])
    _check_cost(_tokens(host), MAX_HOST)
    _check_cost([token for token in tokens if token.start >= slash], MAX_BYTES)
    return UrlRegex(
        schemes=_schemes(scheme),
        host=_compiled(host),
        literal_host=host.replace("\\", "") if _LITERAL_HOST.fullmatch(host) else "",
        port=port,
        default_port=default_port,
        rest=_compiled(body[slash:]),
    )


def check_expression(text: str, longest: int) -> None:
    """Refuse ``text`` unless it is a regular expression that is quick on every text of ``longest`` characters.

    For expressions over values, to be used with ``fullmatch``. ``(?i)`` at the start is allowed, and so are ``^`` and
    ``$`` at the ends, which change nothing, and alternatives without brackets around them.

    :raises ValueError: with a sentence
    """
    if len(text) > MAX_LENGTH:
        raise ValueError(f"a regular expression has at most {MAX_LENGTH} characters")
    tokens = _tokens(text.removeprefix("(?i)").removeprefix("^"))
    if tokens and tokens[-1].text == "$" and tokens[-1].kind == "plain":
        tokens.pop()
    branches = _branches(tokens)
    for branch in branches:
        _check_form(branch)
    _compiled(text)
    for branch in branches:
        # Of alternatives at the top one after the other is tried, so they do not multiply.
        choices = [token for position, token in enumerate(branch) if not _ends_in_one_place(branch, position)]
        # Those that leave no choice are gone through once for each choice of the others.
        _check_cost(choices, longest, 2 * longest if len(choices) < len(branch) else 2 * longest**2)


def _branches(tokens: list[_Token]) -> list[list[_Token]]:
    """Split at the alternatives that stand in no brackets."""
    branches: list[list[_Token]] = [[]]
    for token in tokens:
        if token.kind == "or" and token.depth == 0:
            branches.append([])
        else:
            branches[-1].append(token)
    return branches


def _ends_in_one_place(tokens: list[_Token], position: int) -> bool:
    """Say whether a repeat is at ``position`` that leaves no choice: what it repeats cannot be what follows it, as in
    ``[^,]+,``.
    """
    if position == 0 or not _is_repeat(tokens[position]) or any(map(_is_repeat, tokens[position + 1 : position + 2])):
        return False
    repeated = tokens[position - 1]
    if repeated.kind not in {"set", "escape", "plain"}:
        return False
    following = [token for token in tokens[position + 1 :] if token.kind != "close"]
    if not following:
        # The whole text is to be matched.
        return True
    literal = following[0].text.removeprefix("\\")
    fixed = following[0].kind == "plain" or (following[0].kind == "escape" and not literal.isalnum())
    if not fixed or following[0].text == "." or any(map(_is_repeat, following[1:2])):
        return False
    try:
        return re.fullmatch(repeated.text, literal, re.IGNORECASE) is None
    except re.error:
        # Such as a range the wrong way round: refused when the whole is compiled.
        return False


def _is_repeat(token: _Token) -> bool:
    return token.kind == "repeat"


def _schemes(found: re.Match[str]) -> frozenset[str]:
    one, optional, several = found.groups()
    if several:
        return frozenset(several.split("|"))
    return frozenset({one, one[:-1]}) if optional else frozenset({one})


def _authority(text: str) -> tuple[str, Glob | None, bool]:
    """Split host and port; the port is written ``:8443``, ``:\\d+``, or either in brackets with a question mark."""
    port = next((found for found in _PORT.finditer(text) if found.end() == len(text)), None)
    host = text[: port.start()] if port else text
    tokens = _tokens(host)
    for token, follower in zip_longest(tokens, tokens[1:]):
        if token.kind == "plain" and token.text == "." and (follower is None or follower.kind != "repeat"):
            raise ValueError("a dot in the host of a regular expression is written \\. (a bare one is any character)")
        if token.kind == "plain" and token.text in {":", "@"}:
            raise ValueError("a port in a regular expression is :8443, :\\d+ or (:\\d+)? at the end of the host")
        if token.kind == "plain" and token.text.isupper():
            raise ValueError("the host of a regular expression is written in lower case")
    if not host:
        raise ValueError("a regular expression names a host after its scheme")
    if port is None:
        return host, None, True
    number = port["number"]
    return host, Glob.read(number if number.isdigit() else "*"), bool(port["maybe"])


def _tokens(text: str) -> list[_Token]:
    tokens = []
    depth = 0
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "plain"
        depth -= kind == "close"
        tokens.append(_Token(kind, found[0], found.start(), depth))
        depth += kind == "open"
    return tokens


def _check_form(tokens: list[_Token]) -> None:
    """Refuse what this module cannot judge: alternatives at the top, look-around, back references, flags."""
    for token, follower in zip_longest(tokens, tokens[1:]):
        if token.kind == "or" and token.depth == 0:
            raise ValueError("alternatives in a regular expression stand in brackets: https://h\\.edu/(a|b)/.*")
        if token.kind == "open" and token.text == "(" and follower is not None and follower.text == "?":
            raise ValueError("a regular expression may group with ( and (?: only, without look-around and flags")
        if token.kind == "escape" and token.text[1].isalnum() and token.text[1] not in _ESCAPES_ALLOWED:
            raise ValueError(f"a regular expression may not use {token.text}")
        if token.kind == "set" and re.search(r"\[|--|&&|~~|\|\|", token.text[1:]):
            raise ValueError("within [ ] of a regular expression, [ and doubled signs need a backslash")
        if token.kind == "plain" and token.text in "[{^$\\":
            raise ValueError(f"{token.text!r} in the middle of a regular expression is written with a backslash")


def _check_cost(tokens: list[_Token], longest: int, most: int = MAX_STEPS) -> None:
    """Refuse an expression that may try more than ``most`` ways to read a text of ``longest`` characters.

    Repeated groups that hold a repeat or alternatives can take exponential time and are refused. Of what remains, the
    numbers of choices at each repeat and each group of alternatives multiply, at worst.
    """
    steps = 1
    groups: list[int] = []
    for position, token in enumerate(tokens):
        if token.kind == "repeat":
            # Behind another repeat it only says "lazy" or "possessive".
            steps *= 1 if position and tokens[position - 1].kind == "repeat" else _choices(token.text, longest)
        elif token.kind == "open":
            groups.append(position)
        elif token.kind == "close" and groups:
            inside = tokens[groups.pop() + 1 : position]
            steps *= 1 + sum(other.kind == "or" and other.depth == token.depth + 1 for other in inside)
            after = tokens[position + 1] if position + 1 < len(tokens) else None
            repeated = after is not None and after.kind == "repeat" and after.text != "?"
            if repeated and any(other.kind in {"repeat", "or"} for other in inside):
                raise ValueError("a repeated group in a regular expression may hold no repeats and no alternatives")
    if steps > most:
        raise ValueError("this regular expression can be slow: use fewer of * + ? { } and |, or write several patterns")


def _choices(repeat: str, longest: int) -> int:
    if repeat in {"*", "+"}:
        return longest
    if repeat == "?":
        return 2
    least, comma, most = repeat[1:-1].partition(",")
    if not comma:
        return 1
    return max(1, (int(most) if most else longest) - int(least or 0) + 1)


def _compiled(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
