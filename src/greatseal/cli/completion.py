"""`greatseal completion`: completion scripts for shells."""

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    Examples:
      greatseal completion bash > ~/.local/share/bash-completion/completions/greatseal
      greatseal completion zsh  > ~/.zfunc/_greatseal     # a directory of your fpath
      greatseal completion fish > ~/.config/fish/completions/greatseal.fish
    """
    from greatseal.cli.group import greatseal

    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"no completion for {shell}")
    click.echo(kind(greatseal, {}, "greatseal", "_GREATSEAL_COMPLETE").source())
