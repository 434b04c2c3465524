"""Reads the little SQL that programs send to find logins. See :mod:`casduo.simulators.ucm.sql`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from casduo.simulators.ucm.errors import AxlFault

SYNTAX_ERROR, NO_TABLE, NO_COLUMN = -201, -206, -217
"""Numbers of Informix, the database of a UCM."""

Row = Mapping[str, str]
Joined = Mapping[str, Row]
"""A row of several tables: by the name a table has in the statement, its row."""

_Item = TypeVar("_Item")

_TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>[(),.=*]))")
_KEYWORDS = re.compile(
    "select|distinct|from|as|inner|left|outer|join|on|where|and|order|by|asc|desc|group|having|union|or|not"
)

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "extensionmobilitydynamic": (
        "pkid",
        "fkdevice",
        "fkenduser",
        "fkenduser_lastlogin",
        "fkdevice_currentloginprofile",
        "logintime",
        "loginduration",
    ),
    "device": ("pkid", "name", "description"),
    "enduser": ("pkid", "userid", "firstname", "lastname", "mailid", "status"),
}
"""The tables with their columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table, by the name the table has in the statement; ``lower`` in lower case."""

    table: str
    name: str
    lower: bool = False

    def value(self, joined: Joined) -> str | None:
        """The value in a row; None is NULL, which equals nothing."""
        value = joined[self.table].get(self.name) or None
        return value.lower() if value and self.lower else value


@dataclass(frozen=True, slots=True)
class Text:
    """A text, which is of no table."""

    text: str
    table: str = ""

    def value(self, joined: Joined) -> str | None:
        """The text itself."""
        return self.text


@dataclass(frozen=True, slots=True)
class Equality:
    """A condition."""

    left: Column | Text
    right: Column | Text

    def holds(self, joined: Joined) -> bool:
        """Whether both sides have the same value."""
        value = self.left.value(joined)
        return value is not None and value == self.right.value(joined)

    def both_ways(self) -> tuple[tuple[Column | Text, Column | Text], ...]:
        """Return the sides as they are written, and the other way round."""
        return (self.left, self.right), (self.right, self.left)


@dataclass(frozen=True, slots=True)
class Source:
    """A table with the conditions by which it is joined; ``outer`` keeps rows that find none of it."""

    table: str
    alias: str
    on: tuple[Equality, ...] = ()
    outer: bool = False


@dataclass(frozen=True, slots=True)
class Select:
    """A statement. ``columns`` are the names in the answer with what they show."""

    distinct: bool
    columns: tuple[tuple[str, Column], ...]
    sources: tuple[Source, ...]
    where: tuple[Equality, ...]
    order: tuple[Column, ...]


def read_statement(statement: str) -> Select:
    """Read a statement.

    :raises AxlFault: it is not understood, or names what is not there
    """
    return _Parser(statement).select()


class _Parser:
    """Reads one statement. Columns are written before the tables they are of, so they are looked up at the end."""

    def __init__(self, statement: str) -> None:
        self._tokens = _tokens(statement)
        self._place = 0
        self._aliases: dict[str, str] = {}

    def select(self) -> Select:
        self._expect("select")
        distinct = self._took("distinct")
        written = self._list(self._named_column)
        self._expect("from")
        sources = self._sources()
        columns = tuple((name, self._resolved(*column)) for name, *column in written)
        where = self._equalities() if self._took("where") else ()
        order: tuple[Column, ...] = ()
        if self._took("order"):
            self._expect("by")
            order = tuple(self._list(self._order))
        if self._place < len(self._tokens):
            raise self._wrong()
        return Select(distinct, columns, sources, where, order)

    # -- pieces ------------------------------------------------------------------------------------------------------

    def _named_column(self) -> tuple[str, str, str]:
        table, column = self._dotted()
        if self._took("as") or self._is_name():
            return self._name(), table, column
        return column, table, column

    def _sources(self) -> tuple[Source, ...]:
        sources = [self._source()]
        while True:
            outer = False
            if self._took(","):
                sources.append(self._source())
                continue
            if self._took("left"):
                self._took("outer")
                outer = True
                self._expect("join")
            elif self._took("inner"):
                self._expect("join")
            elif not self._took("join"):
                return tuple(sources)
            source = self._source()
            self._expect("on")
            sources.append(Source(source.table, source.alias, self._equalities(), outer))

    def _source(self) -> Source:
        table = self._name()
        if table not in COLUMNS:
            raise AxlFault(NO_TABLE, f"the table {table} is not in the database")
        self._took("as")
        alias = self._name() if self._is_name() else table
        if alias in self._aliases:
            raise self._wrong()
        self._aliases[alias] = table
        return Source(table, alias)

    def _equalities(self) -> tuple[Equality, ...]:
        found = [self._equality()]
        while self._took("and"):
            found.append(self._equality())
        return tuple(found)

    def _equality(self) -> Equality:
        left = self._value()
        self._expect("=")
        return Equality(left, self._value())

    def _value(self) -> Column | Text:
        if self._took("lower"):
            self._expect("(")
            inner = self._value()
            self._expect(")")
            return Text(inner.text.lower()) if isinstance(inner, Text) else Column(inner.table, inner.name, True)
        token = self._peek()
        if token.startswith("'"):
            self._place += 1
            return Text(token[1:-1].replace("''", "'"))
        return self._resolved(*self._dotted())

    def _order(self) -> Column:
        column = self._resolved(*self._dotted())
        self._took("asc")
        return column

    def _dotted(self) -> tuple[str, str]:
        first = self._name()
        return (first, self._name()) if self._took(".") else ("", first)

    def _resolved(self, table: str, name: str) -> Column:
        owners = [table] if table else [alias for alias, of in self._aliases.items() if name in COLUMNS[of]]
        if len(owners) != 1 or owners[0] not in self._aliases or name not in COLUMNS[self._aliases[owners[0]]]:
            raise AxlFault(NO_COLUMN, f"the column {name} is not in the tables, or in several")
        return Column(owners[0], name)

    # -- tokens ------------------------------------------------------------------------------------------------------

    def _list(self, read: Callable[[], _Item]) -> list[_Item]:
        items = [read()]
        while self._took(","):
            items.append(read())
        return items

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _is_name(self) -> bool:
        token = self._peek()
        return token[:1].isalpha() and not _KEYWORDS.fullmatch(token)

    def _name(self) -> str:
        if not self._is_name():
            raise self._wrong()
        self._place += 1
        return self._tokens[self._place - 1]

    def _took(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self._place += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._took(token):
            raise self._wrong()

    def _wrong(self) -> AxlFault:
        return AxlFault(SYNTAX_ERROR, "a syntax error has occurred")


def _tokens(statement: str) -> list[str]:
    found: list[str] = []
    place, end = 0, len(statement.rstrip())
    while place < end:
        token = _TOKEN.match(statement, place)
        if token is None:
            raise AxlFault(SYNTAX_ERROR, "a syntax error has occurred")
        # Names are the same in upper and lower case, texts are not.
        found.append(token["text"] or (token["word"] or token["sign"]).lower())
        place = token.end()
    return found
