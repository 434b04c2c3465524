"""The one model behind every node: who there is, who is logged in where, and the rules by which that changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from casduo.simulators.ucm.errors import LoginRefusal
from casduo.simulators.ucm.logins import Interface, Login, Logins
from casduo.simulators.ucm.model import ApplicationUser, Phone, Profile, User
from casduo.simulators.ucm.policy import Policy


class Cluster:
    """Users, phones, profiles and logins. Every method but :meth:`working` is called while working.

    :param clock: epoch seconds
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.policy = Policy()
        self.users: dict[str, User] = {}
        """End users by their folded id: UCM does not tell upper from lower case in user ids."""
        self.application_users: dict[str, ApplicationUser] = {}
        self.phones: dict[str, Phone] = {}
        self.profiles: dict[str, Profile] = {}
        self.listeners: list[Callable[[str], None]] = []
        self.publisher_up: Callable[[], bool] = lambda: True
        self._logins = Logins()
        self._clock = clock
        self._lock = threading.RLock()
        self._depth = 0
        self._changed: list[str] = []

    @contextmanager
    def working(self) -> Iterator[float]:
        """Hold the model and have logins whose time is over ended; gives the present.

        Whoever listens for changes is told afterwards, in this thread and without the lock.
        """
        changed: list[str] = []
        try:
            with self._lock:
                self._depth += 1
                try:
                    now = self._clock()
                    self._end_logins(now)
                    yield now
                finally:
                    self._depth -= 1
                    if not self._depth:
                        changed, self._changed = self._changed, []
        finally:
            for device in dict.fromkeys(changed):
                for listener in tuple(self.listeners):
                    listener(device)

    # -- looking -----------------------------------------------------------------------------------------------------

    def user(self, userid: str) -> User | None:
        """Return an end user by id, upper or lower case."""
        return self.users.get(userid.lower())

    def login_on(self, device: str, now: float, node: int | None = None) -> Login | None:
        """Return who is on a phone, as a node sees it or, without one, as it is."""
        return self._logins.on(device, node, now, self.policy.replication_seconds)

    def logins_of(self, userid: str, now: float, node: int | None = None) -> list[Login]:
        """Return where somebody is logged in, as :meth:`login_on`."""
        user = self.user(userid)
        return self._logins.of(user.userid, node, now, self.policy.replication_seconds) if user else []

    def logins(self) -> list[Login]:
        """Return every login."""
        return self._logins.all()

    # -- changing ----------------------------------------------------------------------------------------------------

    def log_in(
        self,
        device: str,
        userid: str,
        profile: str | None,
        now: float,
        *,
        node: int,
        by: Interface,
        seconds: float | None = None,
        duration: int = 0,
    ) -> Login:
        """Log somebody in by the rules.

        :param profile: None for the user's default profile, or the first where there is no default
        :param seconds: after which the login ends; None for never
        :param duration: what AXL was told, to be told again
        :raises LoginRefusal: a rule is against it
        """
        phone = self.phones.get(device)
        if phone is None:
            raise LoginRefusal("no_device", device)
        user = self.user(userid)
        if user is None or not user.active:
            raise LoginRefusal("no_user", userid)
        if not phone.enabled:
            raise LoginRefusal("not_enabled", device)
        chosen = self._profile(user, profile)
        present = self.login_on(device, now, node)
        if present is not None:
            if (present.user, present.profile) == (user.userid, chosen):
                return present
            raise LoginRefusal("occupied", device)
        if by != "axl" or self.policy.axl_keeps_policy:
            if user.must_change_pin:
                raise LoginRefusal("password_change", userid)
            self._leave_others(user, now, node)
        ends_at = None if seconds is None else now + seconds
        login = Login(device, user.userid, chosen, now, ends_at, by, duration)
        phone.last_user = user.userid
        self._write(device, login, node, now)
        return login

    def log_out(self, device: str, now: float, *, node: int) -> Login:
        """Log out whoever is on a phone and return who it was.

        :raises LoginRefusal: there is no such phone, nobody may log in on it, or nobody is logged in
        """
        phone = self.phones.get(device)
        if phone is None:
            raise LoginRefusal("no_device", device)
        login = self.login_on(device, now, node)
        if login is None:
            raise LoginRefusal("nobody" if phone.enabled else "not_enabled", device)
        self._write(device, None, node, now)
        return login

    def remove_phone(self, name: str) -> None:
        """Forget a phone and whoever is logged in on it. :raises KeyError: there is none."""
        del self.phones[name]
        self._logins.forget(name)

    def _profile(self, user: User, wanted: str | None) -> str:
        name = wanted if wanted is not None else user.default_profile or next(iter(user.profiles), "")
        if name not in self.profiles or (self.policy.own_profiles_only and name not in user.profiles):
            raise LoginRefusal("no_profile", name)
        return name

    def _leave_others(self, user: User, now: float, node: int) -> None:
        others = self.logins_of(user.userid, now, node)
        if others and self.policy.multiple_login == "refuse":
            raise LoginRefusal("elsewhere", others[0].device)
        if self.policy.multiple_login == "auto_logout":
            for login in others:
                self._write(login.device, None, node, now)

    def _end_logins(self, now: float) -> None:
        for login in self._logins.all():
            if login.ends_at is not None and now >= login.ends_at:
                # Node -1 is nobody's: every node sees the end of a login at the same moment.
                self._write(login.device, None, -1, login.ends_at - self.policy.replication_seconds)

    def _write(self, device: str, login: Login | None, node: int, now: float) -> None:
        self._logins.write(device, login, node, now, self.policy.replication_seconds)
        self._changed.append(device)
