"""Every metric there is, in one table. Labels take their values from fixed, small sets: never a person, an address, a
ticket or a URL. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Mode = Literal["sum", "max", "scrape"]
"""What the numbers of several processes become: their sum, or the largest; ``scrape``: it is the same for all of
them, and found out when somebody asks.
"""

OTHER: Final = "other"
"""Stands for every value that is not in a label's set."""

_FAST: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_REQUEST: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_CALL: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_PERSON: Final = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 75.0)

OUTCOMES: Final = ("ok", "refused", "timeout", "unavailable", "busy", "misconfigured", "error")
FACTORS: Final = ("prompt", "push", "phone", "passcode", "sms", "trusted_browser", "none")
UPSTREAM_NAMES: Final = (
    *("ldap", "duo_prompt", "duo_auth_api", "duo_admin_api", "axl", "em", "ris"),
    *("webex", "proxy_callback", "sign_out"),
)
ASKED_BY: Final = ("prompt", "push", "phone")
DUO_OUTCOMES: Final = (
    *("allowed", "bypassed", "unenrolled", "denied", "fraud", "timeout"),
    *("locked_out", "unavailable", "misconfigured", "stale"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Instrument:
    """One metric.

    :param name: as Prometheus knows it, counters with their ``_total``
    :param what: what it counts or measures, in a sentence without a full stop
    :param labels: with the values each may have; none where the settings or the URL table name them
    :param buckets: upper bounds of a histogram, in seconds
    :param mode: see :data:`Mode`
    """

    name: str
    kind: Kind
    what: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()
    mode: Mode = "sum"


def _counter(name: str, what: str, **labels: tuple[str, ...]) -> Instrument:
    return Instrument(name, "counter", what, labels)


def _histogram(name: str, what: str, buckets: tuple[float, ...], **labels: tuple[str, ...]) -> Instrument:
    return Instrument(name, "histogram", what, labels, buckets)


def _gauge(name: str, what: str, mode: Mode = "scrape", **labels: tuple[str, ...]) -> Instrument:
    return Instrument(name, "gauge", what, labels, mode=mode)


SIGN_INS: Final = _counter(
    "casduo_signins_total",
    "Attempts to sign in with a password or PIN, by how they ended; `reason` says why one was refused",
    outcome=("ok", "refused", "throttled"),
    reason=(
        *("", "wrong", "unknown", "locked", "disabled", "expired", "must_change"),
        *("not_permitted_now", "unavailable", "busy", "other_user"),
    ),
)
SESSIONS_ENDED: Final = _counter(
    "casduo_sessions_ended_total",
    "Sessions that were ended before their time was over",
    cause=("logout", "user", "administrator", "other_user", "renewed", "fraud", "rest", "approval_over"),
)
SIGN_OUT_MESSAGES: Final = _counter(
    "casduo_signout_messages_total",
    "Messages to applications that a session has ended",
    outcome=("told", "failed"),
)
TICKETS: Final = _counter("casduo_tickets_granted_total", "Tickets that were made", kind=("service", "proxy"))
VALIDATIONS: Final = _counter(
    "casduo_validations_total",
    "Validations of tickets; `outcome` is ok or the code that the application got",
    protocol=("cas1", "cas2", "cas3", "saml1", "proxy", "phone"),
    outcome=(
        *("ok", "INVALID_REQUEST", "INVALID_TICKET", "INVALID_TICKET_SPEC", "INVALID_SERVICE"),
        *("INVALID_PROXY_CALLBACK", "INVALID_AUTHENTICATION_CONTEXT", "UNAUTHORIZED_SERVICE"),
        *("UNAUTHORIZED_SERVICE_PROXY", "INTERNAL_ERROR"),
    ),
)
TICKET_LOOPS: Final = _counter(
    "casduo_ticket_loops_total", "Applications that got ticket after ticket and validated none"
)
SERVICES_REFUSED: Final = _counter(
    "casduo_services_refused_total",
    "Requests for applications that are not the person's to ask for",
    reason=(
        "unregistered",
        "malformed",
        "disabled",
        "not_yet",
        "expired",
        "network",
        "group",
        "attribute",
    ),
)
TARGETS: Final = _counter("casduo_targets_accessed_total", "Tickets that were given out for machines behind a gateway")
VIOLATIONS: Final = _counter(
    "casduo_policy_violations_total",
    "Violations of rules that somebody should look at",
    rule=("outside_window", "too_many_refusals", "fraud", "disowned"),
)
FLOWS_REFUSED: Final = _counter(
    "casduo_flows_refused_total",
    "Forms that came back too late, twice, in another browser, or were not ours",
    code=("FLOW_EXPIRED", "FLOW_USED", "FLOW_FOREIGN", "FLOW_INVALID"),
)
REQUESTS_REFUSED: Final = _counter(
    "casduo_requests_refused_total",
    "Requests that could not be answered as they stood",
    code=("NOT_FOUND", "METHOD_NOT_ALLOWED", "BAD_REQUEST", "COOKIES_MISSING", "FOREIGN_ORIGIN"),
)
FAULTS: Final = _counter(
    "casduo_faults_total",
    "Faults that are nobody's doing who asked",
    code=(
        *("UNEXPECTED", "DUO", "AUDIT_DAMAGED", "AUDIT_UNWRITABLE", "AUDIT_UNREADABLE"),
        *("UPSTREAM_UNAVAILABLE", "UPSTREAM_BUSY", "UPSTREAM_MISCONFIGURED", "UPSTREAM_UNTRUSTED"),
        *("UPSTREAM_BREAKER_OPEN", "UPSTREAM_PROXY_REFUSED", "UPSTREAM_ADDRESS_REFUSED", "LDAP_CONNECTION_LOST"),
        *("DUO_FAILURE", "DUO_STALE", "DUO_UNAVAILABLE", "DUO_MISCONFIGURED", "DUO_BUSY", "DUO_RATE_LIMITED"),
        *("DUO_BAD_TOKEN", "DUO_UNTRUSTED", "DUO_UNEXPECTED", "DUO_BAD_PARAMETER"),
        *("UCM_UNAVAILABLE", "UCM_MISCONFIGURED", "UCM_BUSY", "UCM_REFUSED"),
        *("WEBEX_UNAVAILABLE", "WEBEX_MISCONFIGURED", "WEBEX_REFUSED", "WEBEX_UNAUTHORIZED"),
        *("WEBEX_LEFT_ALONE", "WEBEX_LOCKED", "WEBEX_PAUSED", "WEBEX_THROTTLED"),
    ),
)
DUO_ASKED: Final = _counter("casduo_duo_asked_total", "People whom Duo was to ask for a factor", factor=FACTORS)
DUO_ANSWERED: Final = _counter(
    "casduo_duo_answers_total", "Duo's verdicts, and the lack of one", outcome=DUO_OUTCOMES, factor=FACTORS
)
DUO_BYPASSED: Final = _counter(
    "casduo_duo_bypassed_total", "People let on without Duo, because it could not be asked and the rules allow that"
)
DUO_WOULD_HAVE: Final = _counter(
    "casduo_duo_would_have_total",
    "What Duo would have made of people at applications whose rule is only reported",
    outcome=("auth", "enroll", "allow", "deny", "unavailable"),
)
DUO_ANSWER_SECONDS: Final = _histogram(
    "casduo_duo_answer_seconds",
    "How long people take at Duo's own page, or to answer a push or a call; or Duo to give up",
    _PERSON,
    factor=ASKED_BY,
    outcome=DUO_OUTCOMES,
)
ENROLLMENTS: Final = _counter(
    "casduo_enrollments_total", "Steps of people who register a device", step=("started", "finished", "refused")
)
APPROVALS: Final = _counter(
    "casduo_approvals_total",
    "Requests for access, and what became of them; `refused`: somebody wanted to decide and may not",
    outcome=("requested", "approved", "rejected", "expired", "cancelled", "refused"),
)
PHONES: Final = _counter(
    "casduo_phone_logins_total",
    "What became of people at IP phones",
    outcome=("logged_in", "logged_out", "refused", "device_refused", "unsure", "logout_delayed"),
)
REST_CALLS: Final = _counter(
    "casduo_rest_calls_total", "Calls of the REST protocol, by the class of their status", status=("2xx", "4xx", "5xx")
)
REST_STRANGERS: Final = _counter(
    "casduo_rest_refused_total", "Calls of the REST protocol by nobody we know", why=("no key", "key", "network")
)
WEBHOOK_REFUSED: Final = _counter(
    "casduo_webhook_refused_total", "Deliveries to Webex's webhook that were not believed"
)
WEBHOOK_REPAIRED: Final = _counter("casduo_webhook_repairs_total", "Times that Webex's webhook had to be put right")
MESSAGES_DEAD: Final = _counter("casduo_messages_dead_total", "Messages to Webex that were put aside for good")
CHANNEL_STOPPED: Final = _counter("casduo_webex_stopped_total", "Times that Webex refused whatever was sent")
REGISTRY_READ: Final = _counter(
    "casduo_registry_reloads_total",
    "Changed registry files that were read, by each process",
    outcome=("changed", "rejected"),
)
SERVICE_TICKETS: Final = _counter(
    "casduo_service_tickets_total", "Tickets by application, where `metrics.by_service` is on", service=()
)
SERVICE_VALIDATIONS: Final = _counter(
    "casduo_service_validations_total",
    "Validations by application, where `metrics.by_service` is on",
    service=(),
    outcome=("ok", "refused"),
)

REQUESTS: Final = _histogram(
    "casduo_request_seconds",
    "Requests and how long they took; `route` is a row of the URL table, `status` that of HTTP",
    _REQUEST,
    route=(),
    status=(),
)
REDIS: Final = _histogram("casduo_redis_seconds", "Round trips to Redis and how long they took", _FAST)
REDIS_ERRORS: Final = _counter("casduo_redis_errors_total", "Round trips to Redis that failed")
UPSTREAMS: Final = _histogram(
    "casduo_upstream_seconds",
    "Calls to others and how long they took; `server` is as the settings name it",
    _CALL,
    upstream=UPSTREAM_NAMES,
    server=(),
    outcome=OUTCOMES,
)
LEFT_ALONE: Final = _counter(
    "casduo_upstream_left_alone_total",
    "Calls that were not made, because a breaker is open",
    upstream=UPSTREAM_NAMES,
    server=(),
)
TURNED_AWAY: Final = _counter(
    "casduo_bulkhead_refused_total",
    "Requests told to try again, because too many wait for the same upstream",
    bulkhead=(),
)

IN_FLIGHT: Final = _gauge("casduo_requests_in_flight", "Requests being answered", "sum")
BREAKERS: Final = _gauge(
    "casduo_upstream_breakers_open", "Breakers that are not closed", "max", upstream=UPSTREAM_NAMES, server=()
)
INSIDE: Final = _gauge("casduo_bulkhead_inside", "Threads that wait for an upstream", "sum", bulkhead=())
PLACES: Final = _gauge("casduo_bulkhead_places", "Threads that may wait for an upstream at once", "sum", bulkhead=())
_ROLES: Final = ("server", "worker")
PROCESSES: Final = _gauge("casduo_processes", "Processes that run", "sum", role=_ROLES)
MEMORY: Final = _gauge("casduo_process_resident_memory_bytes", "Memory of the processes", "sum", role=_ROLES)
THREADS: Final = _gauge("casduo_process_threads", "Threads of the processes", "sum", role=_ROLES)
OPEN_FILES: Final = _gauge("casduo_process_open_fds", "Open files of the process that has most", "max", role=_ROLES)
MOST_FILES: Final = _gauge("casduo_process_max_fds", "Files that a process may have open", "max", role=_ROLES)
CPU: Final = _counter("casduo_process_cpu_seconds_total", "Processor time of the processes", role=_ROLES)

BUILD: Final = _gauge("casduo_build_info", "Always 1; what runs", version=(), python=())
REGISTRY: Final = _gauge("casduo_registry_info", "Always 1; the state of the registry in force", version=())
REGISTRY_SERVICES: Final = _gauge("casduo_registry_services", "Entries of the registry in force")
REGISTRY_REJECTED: Final = _gauge(
    "casduo_registry_rejected", "1 while the registry file cannot be used and the last good state stays in force"
)
REGISTRY_LOADED: Final = _gauge(
    "casduo_registry_loaded_timestamp_seconds", "When the state of the registry in force was read"
)
NODES: Final = _gauge("casduo_nodes", "Nodes that gave a sign of life lately", role=_ROLES)
NODES_IN_FORCE: Final = _gauge(
    "casduo_nodes_in_force", "Nodes on all of whose processes the newest state of the registry is in force", role=_ROLES
)
REDIS_UP: Final = _gauge("casduo_redis_up", "1 if Redis answered this scrape in time")
REDIS_MEMORY: Final = _gauge(
    "casduo_redis_memory_bytes", "Memory that Redis uses; of a cluster, the master that is fullest"
)
REDIS_LIMIT: Final = _gauge("casduo_redis_memory_limit_bytes", "Memory that Redis may use; 0 for no limit")
WORKER_UP: Final = _gauge("casduo_worker_up", "1 if a worker gave a sign of life within 20 seconds")
EVENTS_WAITING: Final = _gauge("casduo_events_waiting", "Events that some reader has not read")
EVENTS_LAG: Final = _gauge(
    "casduo_events_lag_seconds",
    "How long the oldest event has waited that a reader has not read; the audit trail is one of them",
    reader=("audit", "outbox"),
)
AUDIT_HINDERED: Final = _gauge("casduo_audit_hindered", "1 while the audit trail cannot be written")
OUTBOX_WAITING: Final = _gauge("casduo_outbox_waiting", "Messages to Webex that wait")
OUTBOX_OLDEST: Final = _gauge("casduo_outbox_oldest_seconds", "How long the oldest of them has waited")
OUTBOX_DEAD: Final = _gauge("casduo_outbox_dead", "Messages to Webex that were put aside and are kept")
OUTBOX_STOPPED: Final = _gauge("casduo_outbox_stopped", "1 while Webex refuses whatever is sent")
INBOX_WAITING: Final = _gauge("casduo_inbox_waiting", "Presses of buttons in Webex that are to be looked up")
SIGN_OUTS_WAITING: Final = _gauge("casduo_signouts_waiting", "Sign-outs that applications are to be told of")
PUSHES_WAITING: Final = _gauge("casduo_pushes_followed", "Pushes and calls of Duo that have no verdict yet")

INSTRUMENTS: Final[tuple[Instrument, ...]] = (
    SIGN_INS,
    SESSIONS_ENDED,
    SIGN_OUT_MESSAGES,
    SIGN_OUTS_WAITING,
    FLOWS_REFUSED,
    SERVICES_REFUSED,
    TICKETS,
    TICKET_LOOPS,
    VALIDATIONS,
    SERVICE_TICKETS,
    SERVICE_VALIDATIONS,
    DUO_ASKED,
    DUO_ANSWERED,
    DUO_ANSWER_SECONDS,
    DUO_BYPASSED,
    DUO_WOULD_HAVE,
    PUSHES_WAITING,
    ENROLLMENTS,
    APPROVALS,
    TARGETS,
    VIOLATIONS,
    PHONES,
    REST_CALLS,
    REST_STRANGERS,
    REQUESTS,
    IN_FLIGHT,
    REQUESTS_REFUSED,
    FAULTS,
    UPSTREAMS,
    LEFT_ALONE,
    BREAKERS,
    TURNED_AWAY,
    INSIDE,
    PLACES,
    WORKER_UP,
    EVENTS_WAITING,
    EVENTS_LAG,
    AUDIT_HINDERED,
    OUTBOX_WAITING,
    OUTBOX_OLDEST,
    OUTBOX_DEAD,
    OUTBOX_STOPPED,
    MESSAGES_DEAD,
    CHANNEL_STOPPED,
    INBOX_WAITING,
    WEBHOOK_REFUSED,
    WEBHOOK_REPAIRED,
    REDIS_UP,
    REDIS,
    REDIS_ERRORS,
    REDIS_MEMORY,
    REDIS_LIMIT,
    REGISTRY,
    REGISTRY_SERVICES,
    REGISTRY_REJECTED,
    REGISTRY_LOADED,
    REGISTRY_READ,
    NODES,
    NODES_IN_FORCE,
    BUILD,
    PROCESSES,
    MEMORY,
    CPU,
    THREADS,
    OPEN_FILES,
    MOST_FILES,
)
"""One row a metric, in the order of the documents."""


def among(value: str, known: tuple[str, ...]) -> str:
    """Return ``value`` if it is one of ``known``, else :data:`OTHER`: nothing else becomes the value of a label."""
    return value if value in known else OTHER
