"""The simulated Duo as one object: started and stopped, filled with people, steered by tests and the demo."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from casduo.simulators.certificates import CertificateAuthority, CertificateFault, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo.account import Account, AccountSettings
from casduo.simulators.duo.enrollment import Mail
from casduo.simulators.duo.faults import DuoFaults
from casduo.simulators.duo.handset import Handset
from casduo.simulators.duo.model import (
    NEW_USER_POLICIES,
    USER_STATUSES,
    Application,
    ApplicationType,
    Device,
    NewUserPolicy,
    Phone,
    Script,
    User,
    UserStatus,
    new_secret_key,
)
from casduo.simulators.duo.requests_log import RequestLog
from casduo.simulators.duo.transactions import Transaction
from casduo.simulators.duo.visit import visit_prompt
from casduo.simulators.duo.waiting import Waiting
from casduo.simulators.duo.web import DuoWeb
from casduo.simulators.server import SimulatorServer
from casduo.simulators.transport import TransportFaults


class DuoSimulator:
    """Duo's cloud for one customer, on a socket of this machine.

    :param certificate: for TLS. None speaks plain HTTP, which of the official clients only duo_client accepts.
    :param clock: the time by which requests run out, codes expire and people take their time, epoch seconds. Give a
        :class:`~casduo.simulators.clock.VirtualClock` to let a minute pass at once.
    :param host: the name clients use; it must be in the certificate. duo_client wants it without the port.
    :param port: TCP port; 0 takes a free one.
    :param wall_clock: the time that signatures, JSON Web Tokens and ``ping`` go by. Default: ``clock``. Official
        clients read the machine's clock, so a test that advances ``clock`` far gives ``time.time`` here.
    :param address: the address to bind.
    :param authority: who signed ``certificate``; needed by :meth:`show_certificate` only.
    """

    def __init__(
        self,
        certificate: LeafFiles | None,
        clock: Callable[[], float] = time.time,
        host: str = "localhost",
        port: int = 0,
        *,
        wall_clock: Callable[[], float] | None = None,
        address: str = "127.0.0.1",
        authority: CertificateAuthority | None = None,
    ) -> None:
        self._certificate = certificate
        self._authority = authority
        self._clock = clock
        self._account = Account()
        self._waiting = Waiting(self._account, clock)
        self._web = DuoWeb(self._account, self._waiting, clock, wall_clock or clock)
        self.server = SimulatorServer(
            self._web, certificate=certificate, host=host, port=port, address=address, name="duo-simulator"
        )

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the port and answer. See :meth:`SimulatorServer.start`."""
        self._waiting.resume()
        self.server.start()
        self._web.set_base(self.api_host, self.base_url)

    def stop(self) -> None:
        """Close the port and every connection. Harmless when not started."""
        self._waiting.stop()
        self.server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """The host name without a port, as duo_client wants it."""
        return self.server.host

    @property
    def port(self) -> int:
        """The TCP port."""
        return self.server.port

    @property
    def api_host(self) -> str:
        """Host and port, as duo_universal wants them."""
        return f"{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """Scheme, host and port."""
        return self.server.url

    @property
    def ca_file(self) -> Path:
        """PEM file a client must trust.

        :raises ValueError: the simulator speaks plain HTTP.
        """
        if self._certificate is None:
            raise ValueError("a simulator without a certificate has no authority")
        return self._certificate.ca

    # -- what goes wrong, and what was asked -------------------------------------------------------------------------

    @property
    def faults(self) -> DuoFaults:
        """Switches for wrong answers."""
        return self._web.faults

    @property
    def transport(self) -> TransportFaults:
        """Switches for what happens below HTTP. See also :meth:`stop_listening`."""
        return self.server.faults

    @property
    def requests(self) -> RequestLog:
        """The API requests so far, without secrets; pages are not among them."""
        return self._web.requests

    @property
    def settings(self) -> AccountSettings:
        """What an administrator sets, and the times Duo keeps."""
        return self._account.settings

    @property
    def new_user_policy(self) -> NewUserPolicy:
        """What becomes of unknown users, unless their application says otherwise."""
        return self._account.settings.new_user_policy

    @new_user_policy.setter
    def new_user_policy(self, policy: NewUserPolicy) -> None:
        if policy not in NEW_USER_POLICIES:
            raise ValueError(f"a policy is one of {', '.join(NEW_USER_POLICIES)}")
        self._account.settings.new_user_policy = policy

    @property
    def allowed_paths(self) -> dict[ApplicationType, frozenset[str]]:
        """Which signed paths each type of application may call; change it to provoke 40301 anywhere."""
        return self._web.allowed_paths

    @property
    def auto_push(self) -> bool:
        """Whether the prompt sends a push as soon as somebody arrives."""
        return self._web.prompt.auto_push

    @auto_push.setter
    def auto_push(self, enabled: bool) -> None:
        self._web.prompt.auto_push = enabled

    @property
    def logo(self) -> bytes | None:
        """PNG for ``/auth/v2/logo``; None answers as an account without one."""
        return self._web.api.logo_image

    @logo.setter
    def logo(self, image: bytes | None) -> None:
        self._web.api.logo_image = image

    def stand_behind(self, port: int) -> None:
        """Be known by another port of this host: somebody stands in front and hands requests on."""
        self._web.set_base(f"{self.host}:{port}", f"{self.server.scheme}://{self.host}:{port}")

    def stop_listening(self) -> None:
        """Refuse connections from now on, and drop those that exist."""
        self.server.stop_listening()

    def listen_again(self) -> None:
        """Accept connections again, on the same port."""
        self.server.listen_again()

    def use_certificate(self, certificate: LeafFiles) -> None:
        """Show another certificate on new connections; :attr:`ca_file` stays what clients should trust."""
        self.server.use_certificate(certificate)

    def show_certificate(self, fault: CertificateFault | None) -> None:
        """Show a certificate on new connections that clients must refuse; None shows the good one again.

        :raises ValueError: the simulator does not know the authority of its certificate.
        """
        if self._certificate is None or self._authority is None:
            raise ValueError("only a simulator with a certificate and its authority can show wrong ones")
        self.server.use_certificate(self._certificate if fault is None else self._authority.issue_wrong(fault))

    def advance(self, seconds: float) -> None:
        """Let time pass at once: requests run out, codes expire, people reply.

        :raises ValueError: the simulator's clock is not a :class:`~casduo.simulators.clock.VirtualClock`.
        """
        if not isinstance(self._clock, VirtualClock):
            raise ValueError("only a virtual clock can be advanced")
        self._clock.advance(seconds)

    # -- applications ------------------------------------------------------------------------------------------------

    def add_application(
        self,
        type: ApplicationType = "websdk",
        name: str = "CAS",
        *,
        redirect_uris: Iterable[str] | None = None,
        integration_key: str | None = None,
        secret_key: str | None = None,
        new_user_policy: NewUserPolicy | None = None,
        remembered_devices: bool = False,
        verified_push: bool = False,
        trusted_networks: Iterable[str] = (),
    ) -> Application:
        """Protect an application. The arguments are those of :class:`Application`; keys are made if none are given."""
        application = Application(
            type=type,
            name=name,
            redirect_uris=None if redirect_uris is None else tuple(redirect_uris),
            new_user_policy=new_user_policy,
            remembered_devices=remembered_devices,
            verified_push=verified_push,
            trusted_networks=tuple(trusted_networks),
        )
        if integration_key is not None:
            application = dataclasses.replace(application, integration_key=integration_key)
        if secret_key is not None:
            application = dataclasses.replace(application, secret_key=secret_key)
        return self.put_application(application)

    def remove_application(self, integration_key: str) -> None:
        """Forget an application; its keys are unknown from now on.

        :raises KeyError: there is none with that key.
        """
        with self._waiting.lock:
            del self._account.applications[integration_key]

    def rotate_secret(self, integration_key: str) -> Application:
        """Give an application a new secret key; the old one no longer signs.

        :raises KeyError: there is none with that key.
        """
        with self._waiting.lock:
            application = self._account.applications[integration_key]
            return self.put_application(dataclasses.replace(application, secret_key=new_secret_key()))

    def change_type(self, integration_key: str, type: ApplicationType) -> Application:
        """Make an application one of another type, to see 40301.

        :raises KeyError: there is none with that key.
        """
        with self._waiting.lock:
            return self.put_application(dataclasses.replace(self._account.applications[integration_key], type=type))

    def change_application(
        self,
        integration_key: str,
        *,
        new_user_policy: NewUserPolicy | None = None,
        remembered_devices: bool | None = None,
        verified_push: bool | None = None,
        trusted_networks: Iterable[str] | None = None,
    ) -> Application:
        """Change the policies of an application; what is None stays as it is.

        :raises KeyError: there is none with that key.
        """
        with self._waiting.lock:
            application = self._account.applications[integration_key]
            if new_user_policy is not None:
                application = dataclasses.replace(application, new_user_policy=new_user_policy)
            if remembered_devices is not None:
                application = dataclasses.replace(application, remembered_devices=remembered_devices)
            if verified_push is not None:
                application = dataclasses.replace(application, verified_push=verified_push)
            if trusted_networks is not None:
                application = dataclasses.replace(application, trusted_networks=tuple(trusted_networks))
            return self.put_application(application)

    def put_application(self, application: Application) -> Application:
        """Add an application, or put it in the place of the one with the same integration key."""
        with self._waiting.lock:
            self._account.applications[application.integration_key] = application
        return application

    # -- people ------------------------------------------------------------------------------------------------------

    def add_user(
        self,
        username: str,
        status: UserStatus = "active",
        devices: Iterable[Device] | None = None,
        *,
        script: Script | None = None,
        bypass_codes: Iterable[str] = (),
    ) -> User:
        """Make a user known. Adding a name again replaces the user.

        :param devices: None gives one phone that can do everything; an empty list gives a user without a device. For
            somebody Duo does not know at all, add nobody.
        :param script: how the user replies to requests; None waits for :meth:`phone` or the phone page.
        :param bypass_codes: passcodes that work once each.
        """
        if status not in USER_STATUSES:
            raise ValueError(f"a status is one of {', '.join(USER_STATUSES)}")
        user = User(username, status, [Phone()] if devices is None else list(devices), script=script)
        user.bypass_codes.replace(list(bypass_codes))
        with self._waiting.lock:
            return self._account.add(user)

    def remove_user(self, username: str) -> None:
        """Forget a user, if there is one."""
        with self._waiting.lock:
            self._account.remove(username)

    def user(self, username: str) -> User:
        """Return a user, to look at or to change.

        :raises KeyError: Duo does not know that name.
        """
        with self._waiting.lock:
            found = self._account.find(username)
        if found is None:
            raise KeyError(username)
        return found

    def users(self) -> list[User]:
        """Return everybody Duo knows, by name."""
        with self._waiting.lock:
            return sorted(self._account.users.values(), key=lambda user: user.username)

    def mails(self) -> list[Mail]:
        """Return the invitations that the Admin API had sent, oldest first."""
        with self._waiting.lock:
            return list(self._account.mails)

    def applications(self) -> list[Application]:
        """Return all applications."""
        with self._waiting.lock:
            return list(self._account.applications.values())

    def pending(self, username: str | None = None) -> list[Transaction]:
        """Return the requests that wait for somebody, oldest first; of one user or of all."""
        with self._waiting.lock:
            self._account.settle(self._clock())
            return self._account.pending(username)

    def await_polls(self, count: int = 1, timeout: float = 10.0) -> None:
        """Return once ``count`` requests wait for a person, so that a test knows when to move the clock.

        :param timeout: real seconds.
        :raises TimeoutError: there are not that many in time.
        """
        if not self._waiting.await_arrivals(count, timeout):
            raise TimeoutError(f"fewer than {count} requests wait for a person")

    def phone(self, username: str) -> Handset:
        """Return what the user holds in the hand.

        :raises KeyError: Duo does not know that name.
        """
        return Handset(self._account, self._waiting, self.user(username), self._clock)

    def activate(self, activation_code: str, phone_name: str = "") -> bool:
        """Scan an activation code with a phone. Returns False when it is not valid, or no longer.

        :param activation_code: the text of the QR code, the code alone, or the activation URL.
        :param phone_name: empty keeps the name the phone has; one without a name becomes an iPhone.
        """
        with self._waiting.lock:
            activation = self._account.enrollments.find(activation_code.rpartition("/activate/")[2])
            return activation is not None and self._account.enrollments.claim(activation, phone_name, self._clock())

    def visit_prompt(self, authorization_url: str) -> str:
        """Do what a browser does that is sent to the prompt and whose user approves every push.

        :param authorization_url: what ``create_auth_url`` made.
        :returns: the URL the browser is sent back to.
        :raises PromptStayed: the prompt did not send the browser back; the error says what it showed.
        """
        return visit_prompt(self._web, authorization_url, self._approve_all)

    def _approve_all(self) -> None:
        with self._waiting.lock:
            for transaction in self._account.pending():
                self._account.reply(transaction, "approve", self._clock())
