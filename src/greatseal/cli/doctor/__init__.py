"""`greatseal doctor`: every check is a function from what is known to findings; this package runs and prints them."""

from greatseal.cli.doctor.command import command

__all__ = ["command"]
