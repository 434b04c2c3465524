"""The applications of the demo, each behind the middleware and on a port of its own."""

from __future__ import annotations

from casduo.middleware import CasMiddleware
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import Addresses
from casduo.simulators.sample_apps import LIBRARY, LOGOUT_PATH, PAYROLL, SIGNED_OUT_PATH, USER, SampleApp
from casduo.simulators.server import SimulatorServer

MACHINE, MACHINE_ADDRESS, ACCOUNT = "OracleLinux_SystemB", "172.16.200.53", "root"
"""What the terminal is connected to, and as whom."""

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
    lead="Asks for Duo without leaving the sign-in page, and opens without it while Duo cannot be reached.",
    content=_timesheet(),
    middleware_options={
        "app_name": "Timesheets",
        "public_paths": PAYROLL.middleware_options["public_paths"],
        "logout_path": LOGOUT_PATH,
        "after_logout": SIGNED_OUT_PATH,
    },
)


def _terminal() -> str:
    """Return a session in a terminal; who it belongs to is filled in."""
    facts = (("Machine", MACHINE), ("Address", MACHINE_ADDRESS), ("Account", ACCOUNT), ("Used by", USER))
    rows = "".join(f"<div><dt>{name}</dt><dd><code>{value}</code></dd></div>" for name, value in facts)
    prompt = f"<b>[{ACCOUNT}@{MACHINE} ~]#</b>"
    lines = (
        f"Connected to {MACHINE_ADDRESS} through the gateway.",
        f"What is done here is written down for {USER}.",
        "",
        f"{prompt} uptime",
        " 09:41:07 up 212 days, 1 user, load average: 0.08",
        f"{prompt} df -h /u01",
        "Filesystem      Size  Used Avail Use% Mounted on",
        "/dev/sdb1       500G  481G   19G  97% /u01",
        f"{prompt} _",
    )
    text = "\n".join(lines)
    return f'<h2 id="own">Remote session</h2><dl class="facts">{rows}</dl><pre class="terminal">{text}</pre>'


DATABASE = SampleApp(
    name="database",
    title="Database server",
    requires_duo=True,
    icon='<rect x="3" y="4.5" width="18" height="15" rx="2"/><path d="M7 9.5l3 2.5-3 2.5M12.5 15H17"/>',
    colour="#7a4a12",
    lead="Open for the time that somebody approved. When that is over, you are signed out here.",
    content=_terminal(),
    middleware_options={
        "app_name": "Database server",
        "public_paths": PAYROLL.middleware_options["public_paths"],
        "logout_path": LOGOUT_PATH,
        "after_logout": SIGNED_OUT_PATH,
    },
)

APPS: tuple[SampleApp, ...] = (LIBRARY, PAYROLL, TIMESHEETS, DATABASE)


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
    return SimulatorServer(protected, certificate=certificate, port=port, name=f"demo-{app.name}")
