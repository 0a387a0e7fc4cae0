"""The command line: one module a command group, imported when it is called; only here the process exits."""

from greatseal.cli.group import greatseal


def main() -> None:
    """The entry point of the `greatseal` program and of `python -m greatseal`."""
    greatseal(prog_name="greatseal")
