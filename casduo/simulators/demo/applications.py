"""The applications of the demo, each behind the middleware and on a port of its own."""

from __future__ import annotations

from casduo.middleware import CasMiddleware
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import Addresses
from casduo.simulators.sample_apps import LIBRARY, LOGOUT_PATH, PAYROLL, SIGNED_OUT_PATH, SampleApp
from casduo.simulators.server import SimulatorServer

_HOURS = (("Monday", "7:45"), ("Tuesday", "8:10"), ("Wednesday", "7:30"), ("Thursday", "8:00"))


def _timesheet() -> str:
    rows = "".join(f'<tr><th scope="row">{day}</th><td>{hours}</td></tr>' for day, hours in _HOURS)
    return (
        '<h2 id="own">Your hours this week</h2><table class="own"><thead><tr><th scope="col">Day</th>'
        f'<th scope="col">Hours</th></tr></thead><tbody>{rows}</tbody><tfoot><tr><th scope="row">Sum</th>'
        "<td>31:25</td></tr></tfoot></table>"
    )


TIMESHEETS = SampleApp(
    name="timesheets",
    title="Timesheets",
    requires_duo=True,
    icon='<circle cx="12" cy="12" r="9"/><path d="M12 7v5l3.5 2"/>',
    colour="#3b4a8c",
    lead="Asks for Duo as well, but opens without it while Duo cannot be reached.",
    content=_timesheet(),
    middleware_options={
        "app_name": "Timesheets",
        "public_paths": PAYROLL.middleware_options["public_paths"],
        "logout_path": LOGOUT_PATH,
        "after_logout": SIGNED_OUT_PATH,
    },
)

APPS: tuple[SampleApp, ...] = (LIBRARY, PAYROLL, TIMESHEETS)


def app_server(app: SampleApp, addresses: Addresses, certificate: LeafFiles, secret_key: str) -> SimulatorServer:
    """Return a server for ``app`` behind the middleware, not started yet.

    :param secret_key: signs the application's cookies.
    """
    options = dict(app.middleware_options)
    # The sign-in server insists on Duo already. An application that did so too would turn away those whom Duo lets
    # pass without asking.
    options.pop("require_context", None)
    protected = CasMiddleware(
        app,
        cas_url=addresses.cas_url,
        service_url=addresses.app_url(app),
        ca_file=str(certificate.ca),
        secret_key=secret_key,
        **options,
    )
    port = addresses.app_port(app)
    return SimulatorServer(protected, certificate=certificate, port=port, name=f"demo-{app.title.lower()}")
