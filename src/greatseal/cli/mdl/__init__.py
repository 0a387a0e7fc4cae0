"""`greatseal mdl`: an issuing authority for mobile driver's licences, and a reader of them (docs/mdl.md)."""

import importlib

import click

# What each does, without importing it.
_COMMANDS = {
    "iaca": ("authority", "Create the root of an issuing authority (IACA)."),
    "ds": ("authority", "Certify a KMS key as a document signer."),
    "check": ("authority", "Hold certificates against ISO/IEC 18013-5 annex B."),
    "issue": ("issue", "Issue licences for devices, signed in KMS."),
    "verify": ("verify", "Verify licences as a reader does."),
}


class _Group(click.Group):
    """Imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"greatseal.cli.mdl.{_COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group("mdl", cls=_Group)
def command() -> None:
    """Issue and verify mobile driver's licences (ISO/IEC 18013-5).

    An authority is a root CA (IACA) of this installation and document signers, whose keys are in KMS.
    `iaca`, `ds` and `issue` are clients of the AWS wire: of the service of --data, or of the AWS environment.

    \b
    Examples:
      greatseal mdl iaca --country US --common-name "mDL IACA Root" --contact https://dmv.example.com \\
        --bucket dmv-lists --out root.pem
      greatseal mdl ds --iaca arn:aws:acm-pca:… --common-name "mDL signer 1" --out signer.pem
      greatseal mdl issue doe.json --device-key phone.jwk --signer signer.pem --key alias/mdl --root root.pem
      greatseal mdl verify doe.cbor --root root.pem
    """
