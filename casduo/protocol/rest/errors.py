"""Every way in which a call of the REST protocol does not get what it asks for: a status, a fixed text, and a reason
for our own log.

No text repeats anything of the request (CVE-2021-42567: names and ids that came back unescaped ran as scripts).
"""

from __future__ import annotations

from typing import ClassVar

from casduo.errors import CasduoError


class RestError(CasduoError):
    """A call that does not get what it asks for.

    :param why: for the log: fixed words, without any secret
    :param text: what the program is told instead of the fixed text of the class
    :param wait: seconds after which trying again may help; 0 where it will not
    """

    code = "REST"
    status: ClassVar[int] = 400
    fixed_text: ClassVar[str] = "the request cannot be carried out"

    def __init__(self, why: str = "", *, text: str = "", wait: int = 0) -> None:
        super().__init__(why or self.fixed_text)
        self.why = why
        self.text = text or self.fixed_text
        self.wait = wait


class UnknownClient(RestError):
    """Nobody that the settings name. ``why`` is ``no key``, ``key`` or ``network``; who calls is not told which."""

    code = "REST_CLIENT"
    status = 401
    fixed_text = "this program may not use the REST protocol"


class BadForm(RestError):
    """Something is missing or cannot be read."""

    code = "REST_FORM"
    fixed_text = "the form cannot be read"


class TooLong(RestError):
    """The body is longer than any form of this protocol."""

    code = "REST_TOO_LONG"
    status = 413
    fixed_text = "the body is too long"


class NotAForm(RestError):
    """The body has another media type."""

    code = "REST_MEDIA_TYPE"
    status = 415
    fixed_text = "the body must be application/x-www-form-urlencoded"


class WrongCredentials(RestError):
    """The person was not authenticated."""

    code = "REST_CREDENTIALS"
    status = 401
    fixed_text = "user name or password is wrong"


class PasscodeRefused(RestError):
    """Duo did not accept the passcode."""

    code = "REST_PASSCODE"
    status = 401
    fixed_text = "Duo does not accept the passcode"


class PersonAsked(RestError):
    """No refusal, and no yes either: something was sent to the person, who has to answer it first.

    :param factor: ``push``, ``phone`` (a call) or ``sms`` (passcodes, to be sent to us as such)
    :param device: the device's name for people
    :param push: what the program repeats its call with, as ``push``; empty for passcodes
    :param digits: of a verified push, for the program to show
    :param wait: seconds after which asking again may help; 0 for passcodes
    """

    code = "REST_ASKED"
    status = 202
    fixed_text = "the person has to answer first"

    def __init__(self, factor: str, device: str, push: str = "", digits: str = "", *, wait: int = 0) -> None:
        super().__init__(factor, wait=wait)
        self.factor = factor
        self.device = device
        self.push = push
        self.digits = digits


class PushRefused(RestError):
    """A push or call that proves nothing. ``why`` is ``denied``, ``fraud`` (reported by the person), ``timeout``, or
    ``gone``: it was used, or nobody knows it any more.
    """

    code = "REST_PUSH"
    status = 401
    fixed_text = "the person did not approve"


class NoDevice(RestError):
    """The person has no device that can be asked in this way. A passcode may be possible."""

    code = "REST_DUO_DEVICE"
    status = 403
    fixed_text = "the person has no device for this"


class PersonRefused(RestError):
    """Duo lets this person prove nothing at present: it does not know them, has locked them out, or lets them pass
    unasked, which proves nothing either. Another passcode or push will not help.
    """

    code = "REST_DUO_PERSON"
    status = 403
    fixed_text = "Duo does not let this person prove anything"


class ServiceForbidden(RestError):
    """There is no ticket for this service: not registered, not for this program, or not for this person.

    :param host: the host name asked for
    """

    code = "REST_SERVICE"
    status = 403
    fixed_text = "there is no ticket for this service"

    def __init__(self, why: str, host: str = "") -> None:
        super().__init__(why)
        self.host = host


class PasswordNeeded(RestError):
    """The service does not take the session as it is."""

    code = "REST_RENEW"
    status = 403
    fixed_text = "the service wants a new sign-in: send renew=true with username and password"


class DuoNeeded(RestError):
    """The service requires Duo."""

    code = "REST_DUO"
    status = 403
    fixed_text = "the service requires Duo: send passcode, a Duo passcode or one of the words push, phone and sms"


class NoSuchTicket(RestError):
    """The ticket is unknown, expired or ended."""

    code = "REST_TICKET"
    status = 404
    fixed_text = "no such ticket"


class TicketsInARow(RestError):
    """The service was given ticket after ticket and validated none."""

    code = "REST_LOOP"
    status = 409
    fixed_text = "too many tickets for this service in a row, and none of them was validated"


class Throttled(RestError):
    """Too much before this attempt: failures, then nothing was looked at, or requests that somebody was sent."""

    code = "REST_THROTTLED"
    status = 429
    fixed_text = "too many failures; try again later"


class Unavailable(RestError):
    """Somebody we depend on does not answer."""

    code = "REST_UNAVAILABLE"
    status = 503
    fixed_text = "the server cannot do this now; try again later"

    def __init__(self, why: str) -> None:
        super().__init__(why, wait=10)
