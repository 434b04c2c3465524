"""The ``casduo`` command: a list of sub-commands, each imported only when it is asked for.

Starting a server must not pay for the code of the demo, nor ``casduo --help`` for any of them: the list below carries
the one-line summaries.
"""

from __future__ import annotations

import gc
import importlib
from dataclasses import dataclass
from typing import Any

import click

from casduo import __version__
from casduo.errors import CasduoError, SettingsError

EXIT_FAILURE = 1
EXIT_BAD_FILE = 2


@dataclass(frozen=True, slots=True)
class Subcommand:
    """One row of the list: the word a person types, ``module:attribute`` of the click command, and what it is for."""

    name: str
    place: str
    summary: str

    def load(self) -> click.Command:
        """Import its module and return it."""
        module, _, attribute = self.place.partition(":")
        # What modules are made of stays. Looking for garbage among it again and again takes a tenth of the time.
        gc.disable()
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        finally:
            gc.enable()
        return command


SUBCOMMANDS: tuple[Subcommand, ...] = (
    Subcommand("serve", "casduo.cli.serve:serve", "Answer requests."),
    Subcommand("worker", "casduo.cli.worker:worker", "Do what takes time: pushes, sign-outs, audit trail, Webex."),
    Subcommand("check", "casduo.cli.check:command", "Say everything that is wrong with settings and registry."),
    Subcommand("doctor", "casduo.cli.doctor:command", "Examine the installation: what is wrong, why, and what helps."),
    Subcommand("explain", "casduo.cli.explain:command", "Say who gets into an application, how, and why."),
    Subcommand("registry", "casduo.cli.registry:registry", "Say who changed the registry; take an earlier text back."),
    Subcommand("import", "casduo.cli.import_:import_", "Take services over from another CAS server."),
    Subcommand("sessions", "casduo.cli.sessions:sessions", "List and end sessions; say what applications were told."),
    Subcommand("nodes", "casduo.cli.nodes:command", "List the nodes that run, and which registry is in force on each."),
    Subcommand("audit", "casduo.cli.audit:audit", "Verify, read and export the audit trail."),
    Subcommand("outbox", "casduo.cli.outbox:outbox", "Say what waits to be sent to Webex; retry what could not be."),
    Subcommand("approvals", "casduo.cli.approvals:approvals", "List requests for access; cancel one that waits."),
    Subcommand("keys", "casduo.cli.keys:keys", "List, add and retire signing keys."),
    Subcommand("flow", "casduo.cli.flow:flow", "Show or draw how a login proceeds."),
    Subcommand("users", "casduo.cli.users:users", "Add people to the users file and set passwords."),
    Subcommand("demo", "casduo.cli.demo:demo", "Run everything on this machine, to look at and to try."),
    Subcommand("simulate", "casduo.cli.simulate:simulate", "Run a stand-in for Duo, Webex, a UCM or an IP phone."),
)


class LazyGroup(click.Group):
    """A group whose commands come from ``SUBCOMMANDS``; errors of ours become messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the list, which is the order of the help page."""
        return [row.name for row in SUBCOMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of ``cmd_name`` and return its command; None for an unknown name."""
        for row in SUBCOMMANDS:
            if row.name == cmd_name:
                return row.load()
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the summaries, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(row.name, row.summary) for row in SUBCOMMANDS])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. A file that cannot be used ends with exit code 2, any other error of ours with 1."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            ctx.exit(EXIT_BAD_FILE)
        except CasduoError as error:
            click.echo(f"casduo: {error}", err=True)
            ctx.exit(EXIT_FAILURE)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="casduo")
def main() -> None:
    """Single sign-on that speaks CAS and asks for Duo where the service registry says so."""
