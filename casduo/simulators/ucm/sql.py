"""The little SQL that programs send to find logins: SELECT over the tables of logins, devices and users.

Understood are columns with other names, DISTINCT, inner and left joins, tables behind commas, equalities joined by AND,
``lower`` and ORDER BY. Everything else is a database error, as a wrong name is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casduo.simulators.ucm.cluster import Cluster
from casduo.simulators.ucm.sql_statement import (
    Column,
    Equality,
    Joined,
    Row,
    Select,
    Source,
    Text,
    read_statement,
)

Tables = Mapping[str, list[Row]]
_NULL_ROW: Row = {}


def tables_of(cluster: Cluster, now: float, node: int) -> Tables:
    """Return the tables as a node has them. There is a row about logins for every phone on which people may log in."""
    devices: list[Row] = [_device(phone.uuid, phone.name, phone.description) for phone in cluster.phones.values()]
    devices += [_device(each.uuid, each.name, each.description) for each in cluster.profiles.values()]
    users: list[Row] = [
        {
            "pkid": _key(user.uuid),
            "userid": user.userid,
            "firstname": user.first_name,
            "lastname": user.last_name,
            "mailid": user.mail,
            "status": "1" if user.active else "0",
        }
        for user in cluster.users.values()
    ]
    logins: list[Row] = []
    for phone in cluster.phones.values():
        login = cluster.login_on(phone.name, now, node)
        if login or phone.enabled:
            last = cluster.user(phone.last_user)
            logins.append(
                {
                    "pkid": _key(phone.uuid),
                    "fkdevice": _key(phone.uuid),
                    "fkenduser": _key(cluster.users[login.user.lower()].uuid) if login else "",
                    "fkenduser_lastlogin": _key(last.uuid) if last else "",
                    "fkdevice_currentloginprofile": _key(cluster.profiles[login.profile].uuid)
                    if login and login.profile in cluster.profiles
                    else "",
                    "logintime": str(int(login.since)) if login else "",
                    "loginduration": str(login.duration) if login else "",
                }
            )
    return {"extensionmobilitydynamic": logins, "device": devices, "enduser": users}


def answer(statement: str, tables: Tables) -> list[list[tuple[str, str]]]:
    """Carry out a statement.

    :returns: rows, each the names and texts of its columns
    :raises AxlFault: it is not understood, or names what is not there
    """
    select = read_statement(statement)
    found = [joined for joined in _join(select, tables) if all(each.holds(joined) for each in select.where)]
    if select.order:
        found.sort(key=lambda joined: [column.value(joined) or "" for column in select.order])
    rows = [tuple((name, column.value(joined) or "") for name, column in select.columns) for joined in found]
    return [list(row) for row in (dict.fromkeys(rows) if select.distinct else rows)]


def _join(select: Select, tables: Tables) -> list[Joined]:
    joined: list[Joined] = [{}]
    known: set[str] = set()
    for source in select.sources:
        rows = _Rows(source, tables[source.table], source.on if source.outer else source.on + select.where, known)
        joined = [wider for each in joined for wider in rows.widened(each)]
        known.add(source.alias)
    return joined


class _Rows:
    """Rows of one table, found by a column's value as a database finds them: a look at each for each of another table
    takes a second where 500 people are logged in.

    :param conditions: those that may narrow what is joined; one between a column and what is ``known`` is searched by
    """

    def __init__(self, source: Source, rows: list[Row], conditions: tuple[Equality, ...], known: set[str]) -> None:
        self._source = source
        self._rows = rows
        self._by: Column | Text | None = None
        self._found: dict[str, list[Row]] = {}
        for column, other in ((a, b) for each in conditions for a, b in each.both_ways()):
            if column.table == source.alias and (not other.table or other.table in known):
                self._by = other
                for row in rows:
                    value = column.value({source.alias: row})
                    if value is not None:
                        self._found.setdefault(value, []).append(row)
                return

    def widened(self, joined: Joined) -> Iterator[Joined]:
        """Return a row of the tables before with each row of this one that fits it."""
        source, fits = self._source, False
        for row in self._rows if self._by is None else self._found.get(self._by.value(joined) or "", ()):
            wider = {**joined, source.alias: row}
            if all(each.holds(wider) for each in source.on):
                fits = True
                yield wider
        if source.outer and not fits:
            yield {**joined, source.alias: _NULL_ROW}


def _device(uuid: str, name: str, description: str) -> Row:
    return {"pkid": _key(uuid), "name": name, "description": description}


def _key(uuid: str) -> str:
    return uuid.strip("{}").lower()
