"""`greatseal events`: the bus as its operator sees it."""

import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.cli.database import opened
from greatseal.cli.desk import desk_of

if TYPE_CHECKING:
    from greatseal.domain.delivery import DeadLetter
    from greatseal.domain.events.patterns import Pattern
    from greatseal.domain.events.watching import Seen

_PAUSE_SECONDS = 0.5
_MOST_LETTERS = 10_000


@click.group("events")
def command() -> None:
    """Watch the event bus, and see to what could not be delivered.

    Rules and targets are managed with `aws events …`; docs/events.md says what the bus does.

    \b
    Examples:
      greatseal events tail --source aws.acm
      greatseal events tail --pattern '{"detail": {"result": ["failure"]}}' --output json | jq .
      greatseal events dead
      greatseal events dead --replay 17
    """


@command.command("tail")
@options.data
@options.config
@click.option("--source", help="Only events of this source, for instance aws.acm-pca.")
@click.option("--pattern", "pattern_text", metavar="JSON", help="Only events that this event pattern matches.")
@click.option("--since", "minutes", type=click.IntRange(0, 10_080), default=0, help="Begin so many minutes ago.")
@click.option("--count", type=click.IntRange(1), help="End after so many events.")
@click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def tail_command(
    data: Path | None,
    config: Path | None,
    source: str | None,
    pattern_text: str | None,
    minutes: int,
    count: int | None,
    output: str,
) -> None:
    """Print events as they are put on any bus of the installation, until Ctrl-C.

    The database is only read; a service may be running on it.  `json` prints one event a line.

    \b
    Examples:
      greatseal events tail
      greatseal events tail --since 60 --source aws.acm-pca
    """
    from greatseal.domain.events.watching import Watch
    from greatseal.kernel.clock import SystemClock

    pattern = _pattern(pattern_text)
    with opened(data, config) as (_, storage):
        begin = SystemClock().now() - timedelta(minutes=minutes)
        watch = Watch(storage, begin, source=source, pattern=pattern)
        pause = threading.Event()
        left = count
        try:
            while True:
                for seen in watch.look():
                    click.echo(seen.text if output == "json" else _line(seen))
                    left = None if left is None else left - 1
                    if left == 0:
                        return
                pause.wait(_PAUSE_SECONDS)
        except (KeyboardInterrupt, BrokenPipeError):
            # Whoever watches has seen enough: that is how it ends.
            return


@command.command("dead")
@options.data
@options.config
@options.as_json
@click.option("--replay", "letter", type=int, metavar="ID", help="Try this one again.")
@click.option("--all", "every", is_flag=True, help="Try all of them again.")
@click.option("--account", help="Only those of this account.")
def dead_command(
    data: Path | None, config: Path | None, as_json: bool, letter: int | None, every: bool, account: str | None
) -> None:
    """List what could not be delivered, or try it again.

    Dead letters are kept for thirty days.  What is tried again is carried by the running service.
    Exit code 1: there is no dead letter with this ID.

    \b
    Examples:
      greatseal events dead
      greatseal events dead --replay 17
      greatseal events dead --all
    """
    if letter is not None and every:
        raise click.UsageError("--replay and --all exclude each other")
    with desk_of("events", data, config) as desk:
        deliveries = desk.rooms.bus.deliveries
        if letter is not None:
            if not deliveries.replay(letter):
                raise click.ClickException(f"there is no dead letter {letter}")
            click.echo(f"{letter} is tried again")
            return
        letters = deliveries.dead(account=account, limit=_MOST_LETTERS)
        if every:
            again = sum(deliveries.replay(each.id) for each in letters)
            click.echo(f"{again} dead letters are tried again")
            return
    if as_json:
        click.echo(json.dumps({"dead_letters": [_members(each) for each in letters]}, indent=2))
    elif not letters:
        click.echo("nothing is dead")
    else:
        for each in letters:
            when = each.died_at.strftime("%Y-%m-%d %H:%M:%S")
            click.echo(f"{each.id}  {when}  {each.parcel.lane}  {each.attempts} attempts  {each.error}")


def _pattern(text: str | None) -> "Pattern | None":
    from greatseal.domain.events.patterns import InvalidPattern, compile_pattern

    try:
        return None if text is None else compile_pattern(text)
    except InvalidPattern as error:
        raise click.UsageError(f"the pattern is not valid: {error}") from error


def _line(seen: "Seen") -> str:
    """An event for people: when, where from, what, about what, and how it went."""
    event = seen.event
    resources = event.get("resources")
    about = " ".join(map(str, resources)) if isinstance(resources, list) else ""
    text = f"{event.get('time')}  {event.get('source')}  {event.get('detail-type')}  {about}".rstrip()
    # What a stranger put into an event must not move the cursor of whoever looks.
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def _members(letter: "DeadLetter") -> dict[str, object]:
    return {
        "id": letter.id,
        "lane": letter.parcel.lane,
        "kind": letter.parcel.kind,
        "message_id": letter.parcel.message_id,
        "account": letter.parcel.account,
        "posted_at": letter.posted_at.isoformat(),
        "died_at": letter.died_at.isoformat(),
        "attempts": letter.attempts,
        "error": letter.error,
        "body": letter.parcel.body,
    }
