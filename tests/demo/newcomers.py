"""People who sign in to the demo besides its own: each test has somebody for whom nothing counts yet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from casduo.authentication.passwords import Passwords
from casduo.authentication.users_editor import add_user
from casduo.simulators.demo.people import DOMAIN
from casduo.simulators.demo.state import ARGON2, State

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Newcomer:
    """Somebody whose password is :data:`PASSWORD`."""

    username: str
    name: str

    @property
    def email(self) -> str:
        return f"{self.username}@{DOMAIN}"


NEWCOMERS: tuple[Newcomer, ...] = tuple(
    Newcomer(name.partition(" ")[0].lower(), name)
    for name in (
        "Adele Goldberg",
        "Annie Easley",
        "Barbara Liskov",
        "Betty Holberton",
        "Claude Shannon",
        "Dennis Ritchie",
        "Donald Knuth",
        "Douglas Engelbart",
        "Evelyn Granville",
        "Frances Allen",
        "Fred Brooks",
        "Grete Hermann",
        "Hedy Lamarr",
        "Ida Rhodes",
        "Jean Bartik",
        "John Backus",
        "Katherine Johnson",
        "Kathleen Booth",
        "Ken Thompson",
        "Lynn Conway",
        "Mary Jackson",
        "Maurice Wilkes",
        "Niklaus Wirth",
        "Radia Perlman",
        "Ruth Teitelbaum",
        "Sophie Wilson",
        "Tony Hoare",
        "Alonzo Church",
        "Anita Borg",
        "Ivan Sutherland",
        "Judea Pearl",
        "Leslie Lamport",
        "Manuel Blum",
        "Marvin Minsky",
        "Peter Naur",
        "Robin Milner",
        "Shafi Goldwasser",
        "Silvio Micali",
        "Whitfield Diffie",
        "Cynthia Dwork",
        "Danny Cohen",
        "Edith Clarke",
        "Elizabeth Feinler",
        "Erna Hoover",
        "Gladys West",
        "Irmgard Flugge",
        "Joan Clarke",
        "Karen Jones",
        "Marian Croak",
        "Ninamary Maginnis",
    )
)


def register(directory: Path) -> None:
    """Write all of them into the users file of a demo that is to be started with this directory."""
    state = State(directory / "state")
    state.directory.mkdir(mode=0o700)
    password = Passwords(ARGON2).hash(PASSWORD)
    for person in NEWCOMERS:
        add_user(state.users_file, person.username, password, name=person.name, attributes={"mail": (person.email,)})
