"""The `greatseal` command: lists its commands without importing them, so that help comes at once."""

import importlib
from dataclasses import dataclass

import click

from greatseal import __version__


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a command lives and the line that the list of commands shows for it."""

    module: str
    summary: str


# In the order in which a newcomer needs them.
COMMANDS = {
    "serve": Entry("greatseal.cli.serve", "Start the service; a new data directory is initialised."),
    "env": Entry("greatseal.cli.env", "Print what the AWS CLI and SDKs need to reach the service."),
    "status": Entry("greatseal.cli.status", "Say how the running service fares."),
    "doctor": Entry("greatseal.cli.doctor", "Check everything and print a fix for each failure."),
    "access": Entry("greatseal.cli.access", "Make the first users and roles; explain who may do what."),
    "revoke": Entry("greatseal.cli.revoke", "Revoke many certificates: of a CA, of a key, or on a list."),
    "certificates": Entry("greatseal.cli.certificates", "Say what uses which certificate, so that it is renewed."),
    "backup": Entry("greatseal.cli.backup", "Write an encrypted backup while the service runs."),
    "restore": Entry("greatseal.cli.restore", "Put a backup back into an empty place, or rehearse that."),
    "keys": Entry("greatseal.cli.keys", "Replace the key-encryption key while the service runs."),
    "notify": Entry("greatseal.cli.notify", "Prove that channels, mail and webhooks work."),
    "audit": Entry("greatseal.cli.audit", "Verify the audit trail, prove and list its events."),
    "events": Entry("greatseal.cli.events", "Watch the event bus; look at what could not be delivered."),
    "findings": Entry("greatseal.cli.findings", "List, show, resolve and export findings."),
    "dns": Entry("greatseal.cli.dns", "Export and create the DNS records of validations."),
    "transparency": Entry("greatseal.cli.transparency", "Look at transparency logs; prove what is logged."),
    "report": Entry("greatseal.cli.report", "Answer questions about all certificates of an installation."),
    "sign": Entry("greatseal.cli.sign", "Sign files and directories with keys of KMS."),
    "verify": Entry("greatseal.cli.verify", "Verify certificates, and files that were signed."),
    "kms": Entry("greatseal.cli.kms", "Make certificate requests with keys of KMS."),
    "mdl": Entry("greatseal.cli.mdl", "Issue and verify mobile driver's licences (ISO/IEC 18013-5)."),
    "perspective": Entry("greatseal.cli.perspective", "Look at domains from elsewhere, for an installation that asks."),
    "trust": Entry("greatseal.cli.trust", "Show the roots that sign public certificates."),
    "version": Entry("greatseal.cli.version", "Print the versions of Greatseal and of what it stands on."),
    "completion": Entry("greatseal.cli.completion", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """Imports a command's module when the command is called; the module names it `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name].module).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="greatseal")
def greatseal() -> None:
    """A certificate manager, private CA and signing service that you run yourself.

    It speaks the AWS wire protocols, so the AWS CLI and every AWS SDK work against it:

    \b
      greatseal serve                      # first terminal
      eval "$(greatseal env)"              # second terminal
      aws acm-pca list-certificate-authorities
      aws acm list-certificates

    Every setting is also a line of DIR/greatseal.toml and a GREATSEAL_* variable.
    `greatseal COMMAND --help` shows examples.
    """
