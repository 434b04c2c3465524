"""The little SQL by which programs find logins, and database errors for everything else."""

from __future__ import annotations

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator, sql
from tests.simulators.ucm.conftest import OTHER_PHONE, PHONE, PLAIN_PHONE, AxlClient, EmClient

JOINS = (
    "from extensionmobilitydynamic as emd inner join device as d on emd.fkdevice = d.pkid "
    "inner join enduser as eu on emd.fkenduser = eu.pkid"
)


class Database:
    def __init__(self, axl: AxlClient) -> None:
        self._axl = axl

    def __call__(self, statement: str, node: int = 0) -> list[dict[str, str]]:
        answer = self._axl("executeSQLQuery", f"<sql>{statement}</sql>", node=node)
        assert answer.status == 200, answer.response.text
        return [{column.tag: column.text or "" for column in row} for row in answer.root.findall(".//row")]

    def error(self, statement: str) -> int:
        return int(self._axl("executeSQLQuery", f"<sql>{statement}</sql>").text("axlcode"))


@pytest.fixture
def database(ucm: UcmSimulator, axl: AxlClient) -> Database:
    ucm.policy.multiple_login = "allow"
    ucm.add_user("O'Brien", profiles=["brien"])
    ucm.log_in(PHONE, "ada", "ada-office")
    ucm.log_in(OTHER_PHONE, "O'Brien")
    return Database(axl)


@pytest.mark.parametrize(
    "statement",
    [
        f"select d.name {JOINS} where eu.userid = 'ada'",
        f"SELECT D.NAME {JOINS.upper()} WHERE EU.USERID='ada'",
        f"select d.name {JOINS} where lower(eu.userid) = lower('ADA')",
        "select device.name from enduser, device, extensionmobilitydynamic where fkenduser=enduser.pkid"
        " and fkdevice=device.pkid and enduser.userid='ada'",
        "select d.name from extensionmobilitydynamic m join device d on d.pkid=m.fkdevice join enduser u"
        "\n on u.pkid=m.fkenduser and u.mailid='ada@example.edu'",
        f"select distinct d.name {JOINS}, device p where p.pkid = emd.fkdevice_currentloginprofile"
        " and p.name = 'ada-office'",
    ],
)
def test_where_somebody_is(database: Database, statement: str) -> None:
    assert database(statement) == [{"name": PHONE}]


def test_columns_can_have_other_names(database: Database) -> None:
    found = database(f"select d.name as device, eu.userid usr {JOINS} order by eu.userid, d.name asc")
    assert found == [{"device": OTHER_PHONE, "usr": "O'Brien"}, {"device": PHONE, "usr": "ada"}]


def test_apostrophes_are_doubled(database: Database) -> None:
    assert database(f"select d.name {JOINS} where eu.userid = 'O''Brien'") == [{"name": OTHER_PHONE}]


def test_texts_tell_upper_from_lower_case(database: Database) -> None:
    assert database(f"select d.name {JOINS} where eu.userid = 'ADA'") == []


def test_a_left_join_keeps_phones_that_nobody_is_on(ucm: UcmSimulator, database: Database) -> None:
    ucm.log_out(PHONE)
    statement = (
        "select d.name, u.userid from extensionmobilitydynamic m left outer join enduser u on u.pkid = m.fkenduser "
        "inner join device d on d.pkid = m.fkdevice order by d.name"
    )
    assert database(statement) == [{"name": PHONE, "userid": ""}, {"name": OTHER_PHONE, "userid": "O'Brien"}]


def test_phones_without_extension_mobility_have_no_row(database: Database) -> None:
    statement = "select d.name from device d, extensionmobilitydynamic m where d.pkid = m.fkdevice"
    assert {"name": PLAIN_PHONE} not in database(statement)
    assert database("select name from device where name = 'SEP0000000000FF'") == [{"name": PLAIN_PHONE}]


def test_who_was_on_a_phone_last(ucm: UcmSimulator, database: Database) -> None:
    ucm.log_out(PHONE)
    statement = "select d.name from extensionmobilitydynamic m, device d, enduser u where m.fkdevice = d.pkid"
    assert database(f"{statement} and m.fkenduser_lastlogin = u.pkid and u.userid = 'ada'") == [{"name": PHONE}]


def test_a_node_tells_what_it_knows(ucm: UcmSimulator, em: EmClient, database: Database, clock: VirtualClock) -> None:
    clock.advance(1)
    ucm.policy.replication_seconds = 5
    em.log_out(PHONE, node=1)
    statement = f"select d.name {JOINS} where eu.userid = 'ada'"
    assert (database(statement, 0), database(statement, 1)) == ([{"name": PHONE}], [])


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("", -201),
        ("select", -201),
        ("select * from device", -201),
        ("select d.name from device d where d.name like 'SEP'", -201),
        ("select d.name from device d where d.name = 'it's'", -201),
        ("select d.name from device d; drop table device", -201),
        ("select d.name from device d where d.name = 'a' or d.name = 'b'", -201),
        ("select d.name from device d, enduser d", -201),
        ("delete from extensionmobilitydynamic", -201),
        ("update device set name = 'x'", -201),
        ("select count(pkid) from device", -201),
        ("select name from phones", -206),
        ("select d.phone from device d", -217),
        ("select x.name from device d", -217),
        ("select pkid from device, enduser", -217),
        ("select pin from enduser", -217),
    ],
)
def test_the_rest_is_a_database_error(database: Database, statement: str, code: int) -> None:
    assert database.error(statement) == code


def test_rows_are_found_by_a_value_and_not_by_a_look_at_each() -> None:
    """A wing of phones asks who is where at each login: looking at all pairs took a core of the machine."""
    read = 0

    class Counted(dict[str, str]):
        def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]
            nonlocal read
            read += 1
            return super().get(key, default)

    many = range(300)
    tables: sql.Tables = {
        "device": [Counted(pkid=f"d{n}", name=f"SEP{n}") for n in many],
        "enduser": [Counted(pkid=f"u{n}", userid=f"nurse{n}") for n in many],
        "extensionmobilitydynamic": [Counted(fkdevice=f"d{n}", fkenduser=f"u{n}") for n in many],
    }
    found = sql.answer(f"select d.name {JOINS} where eu.userid = 'nurse7'", tables)
    assert found == [[("name", "SEP7")]]
    assert read < 20 * len(many)
