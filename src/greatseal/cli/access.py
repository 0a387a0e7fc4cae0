"""`greatseal access`: the first principals, for whoever holds the data directory, and why somebody may or may not."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
from msgspec import structs

from greatseal.cli import options
from greatseal.cli.desk import Desk, desk_of

_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_ACCOUNT = re.compile(r"(?!0{12})[0-9]{12}")

account_option = click.option(
    "--account", metavar="ID", help="The account it belongs to.  [default: the installation's own]"
)
policy_option = click.option(
    "--policy",
    "policies",
    multiple=True,
    metavar="ARN|FILE",
    help="A managed policy by its ARN, or a policy document; may be given several times.",
)


@click.group("access")
def command() -> None:
    """Make the first accounts, users and roles, and explain decisions.

    These commands work on the database itself, beside a running service or without one, so that they
    need no credential: whoever may read the data directory is its owner.  Everything else is the AWS
    CLI's: `aws iam`, `aws sts`, `aws organizations`, `aws ram`.

    \b
    Examples:
      greatseal access create-user alice --policy arn:aws:iam::aws:policy/AdministratorAccess
      greatseal access create-role issuer --trust 100000000000 --policy issue.json
      greatseal access explain arn:aws:iam::100000000000:user/alice acm:RequestCertificate
      greatseal access rotate-root
    """


@command.command("create-account")
@options.data
@options.config
@options.as_json
@click.argument("name")
@click.option("--email", required=True, help="The address of the account; no two accounts share one.")
@click.option("--id", "account_id", metavar="ID", help="Twelve digits.  [default: drawn]")
def create_account(
    data: Path | None, config: Path | None, as_json: bool, name: str, email: str, account_id: str | None
) -> None:
    """Make an account outside every organization, and print its root credential once.

    \b
    Examples:
      greatseal access create-account consumer --email pki@consumer.example
    """
    from greatseal.storage import Tx

    if account_id is not None and not _ACCOUNT.fullmatch(account_id):
        raise click.ClickException(f"{account_id} is not an account id: twelve digits, not all zero")
    with desk_of("access", data, config, None) as desk:
        rooms = desk.rooms

        def work(tx: Tx) -> Any:
            made = rooms.accounts.create(tx, name=name, email=email, account_id=account_id)
            rooms.audit.record(tx, desk.caller("organizations:CreateAccount"), response={"account_id": made.id})
            return rooms.accounts.new_root_credential(tx, made.id, desk.settings.region)

        _show(rooms.storage.transact(work), as_json)


@command.command("create-user")
@options.data
@options.config
@options.as_json
@account_option
@policy_option
@click.argument("name")
def create_user(
    data: Path | None, config: Path | None, as_json: bool, account: str | None, policies: tuple[str, ...], name: str
) -> None:
    """Make a user with an access key, and print the key once.

    \b
    Examples:
      greatseal access create-user alice --policy arn:aws:iam::aws:policy/AdministratorAccess
      eval "$(greatseal access create-user ci --policy issue.json)"
    """
    from greatseal.domain.access import Credential, IdentityKind
    from greatseal.domain.access.identities.directory import NewIdentity

    _check_name(name)
    documents = [_policy(each) for each in policies]
    with desk_of("access", data, config, account) as desk:
        _check_policies(desk, documents)
        people = desk.rooms.administration
        made = people.directory.create(desk.caller("iam:CreateUser"), NewIdentity(IdentityKind.USER, name)).identity
        _give(desk, IdentityKind.USER, name, documents)
        key = people.keys.create(desk.caller("iam:CreateAccessKey"), name)
        assert key.secret is not None
        _show(Credential(key.id, key.secret, made.account, made.arn(), made.id), as_json)


@command.command("create-role")
@options.data
@options.config
@account_option
@policy_option
@click.argument("name")
@click.option(
    "--trust",
    required=True,
    metavar="WHO",
    help="Who may assume it: an account id, the ARN of a principal, a service, or a file with a trust policy.",
)
def create_role(
    data: Path | None, config: Path | None, account: str | None, policies: tuple[str, ...], name: str, trust: str
) -> None:
    """Make a role and print its ARN.

    \b
    Examples:
      greatseal access create-role issuer --trust 100000000000 --policy issue.json
      greatseal access create-role workload --trust rolesanywhere.amazonaws.com --policy issue.json
    """
    from greatseal.domain.access import IdentityKind
    from greatseal.domain.access.identities.directory import NewIdentity

    _check_name(name)
    documents = [_policy(each) for each in policies]
    new = NewIdentity(IdentityKind.ROLE, name, trust_policy=_trust(trust))
    with desk_of("access", data, config, account) as desk:
        _check_policies(desk, documents)
        made = desk.rooms.administration.directory.create(desk.caller("iam:CreateRole"), new).identity
        _give(desk, IdentityKind.ROLE, name, documents)
        click.echo(made.arn())


@command.command("create-policy")
@options.data
@options.config
@account_option
@click.argument("name")
@click.argument("document", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def create_policy(data: Path | None, config: Path | None, account: str | None, name: str, document: Path) -> None:
    """Make a managed policy from a document and print its ARN.

    \b
    Examples:
      greatseal access create-policy issue issue.json
    """
    _check_name(name)
    text = document.read_text(encoding="utf-8")
    with desk_of("access", data, config, account) as desk:
        made = desk.rooms.administration.library.create(
            desk.caller("iam:CreatePolicy"), name=name, path="/", description="", document=text, tags=()
        )
        click.echo(made.policy.arn)


@command.command("rotate-root")
@options.data
@options.config
@options.as_json
@account_option
def rotate_root(data: Path | None, config: Path | None, as_json: bool, account: str | None) -> None:
    """Make a new root credential, print it once, and revoke every other one of that root.

    The old credential stops working with the next request.  A credential that is given in the settings
    or in the environment is changed there.

    \b
    Examples:
      eval "$(greatseal access rotate-root)"
    """
    with desk_of("access", data, config, account) as desk:
        settings, rooms = desk.settings, desk.rooms
        own = desk.account == settings.account_id
        if own and settings.root.access_key_id:
            raise click.ClickException(
                "the root credential is given in the settings (root.access_key_id); change it there and restart"
            )
        made = rooms.storage.transact(lambda tx: rooms.accounts.new_root_credential(tx, desk.account, settings.region))
        if own:
            # Before the old one goes: after a crash here both are good, and the file has one of them.
            from greatseal.app.serving import write_root

            write_root(settings, made)

        def revoke(tx: Any) -> int:
            gone = rooms.accounts.revoke_root_credentials(tx, desk.account, but=made.access_key_id)
            caller = desk.caller("iam:CreateAccessKey")
            rooms.audit.record(tx, caller, made.principal_arn, accessKeyId=made.access_key_id, revoked=str(gone))
            return gone

        gone = rooms.storage.transact(revoke)
        _show(made, as_json)
        click.echo(f"{gone} older root credential{'' if gone == 1 else 's'} revoked", err=True)


@command.command("explain")
@options.data
@options.config
@options.as_json
@click.argument("principal")
@click.argument("action")
@click.argument("resource", default="*")
@click.option(
    "--context",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="A condition key of the request, for instance acm:KeyAlgorithm=RSA_2048; the same key again adds a value.",
)
@click.option("--source-ip", default="", help="Where the request would come from.")
def explain_command(
    data: Path | None,
    config: Path | None,
    as_json: bool,
    principal: str,
    action: str,
    resource: str,
    given: tuple[str, ...],
    source_ip: str,
) -> None:
    """Print whether a principal may do something, and which statement decided.

    PRINCIPAL is the ARN of a root, a user or a role.  Every statement that matches is listed, in every
    kind of policy.  Exit code 0: allowed.  1: denied.

    \b
    Examples:
      greatseal access explain arn:aws:iam::100000000000:user/alice acm:RequestCertificate \\
        --context acm:KeyAlgorithm=RSA_2048 --context acm:DomainNames=app.example.com
    """
    from greatseal.domain.access.explanation import caller_named, explain
    from greatseal.domain.access.model import Question

    context = _context(given)
    with desk_of("access", data, config, None) as desk:
        rooms, at, region = desk.rooms, desk.rooms.clock.now(), desk.settings.region
        caller = rooms.storage.read(lambda tx: caller_named(tx, principal, region=region, at=at, action=action))
        caller = structs.replace(caller, source_ip=source_ip)
        found = explain(rooms.access, caller, Question(action, resource, context))
    if as_json:
        matched = [
            {"kind": m.kind, "policy": m.policy, "statement": m.statement, "sid": m.sid, "effect": m.effect}
            for m in found.matched
        ]
        told = {"allowed": found.verdict.allowed, "sentence": found.sentence, "matched": matched}
        click.echo(json.dumps({**told, "context": found.context}))
    else:
        color = "green" if found.verdict.allowed else "red"
        click.echo(f"{click.style('allowed' if found.verdict.allowed else 'denied', fg=color)}: {found.sentence}")
        for m in found.matched:
            name = f" {m.sid!r}" if m.sid else ""
            click.echo(f"  {m.effect} by statement {m.statement}{name} of the {m.kind} {m.policy}")
        if not found.matched:
            click.echo("  no statement of any policy matches")
    raise SystemExit(0 if found.verdict.allowed else 1)


def _check_policies(desk: Desk, policies: list[tuple[str, str]]) -> None:
    """Before anything is made: what cannot be given must leave nobody behind."""
    from greatseal.domain.access.identities.rules import check_document
    from greatseal.domain.access.language import PolicyKind

    for arn_or_name, document in policies:
        if document:
            check_document(document, PolicyKind.IDENTITY)
        else:
            desk.rooms.administration.library.get(desk.caller("iam:GetPolicy"), arn_or_name)


def _give(desk: Desk, kind: Any, name: str, policies: list[tuple[str, str]]) -> None:
    """Attaches managed policies, and puts documents as inline policies under the names of their files."""
    people = desk.rooms.administration
    word = kind.value.title()
    for arn_or_name, document in policies:
        if document:
            people.inline.put(desk.caller(f"iam:Put{word}Policy"), kind, name, arn_or_name, document)
        else:
            people.attachments.attach(desk.caller(f"iam:Attach{word}Policy"), kind, name, arn_or_name)


def _policy(text: str) -> tuple[str, str]:
    """(ARN, nothing) of a managed policy, or (name, document) of a file."""
    if text.startswith("arn:"):
        return text, ""
    path = Path(text)
    try:
        document = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"the policy {text} is neither an ARN nor a readable file: {error}") from error
    _check_name(path.stem)
    return path.stem, document


def _trust(text: str) -> str:
    path = Path(text)
    if path.is_file():
        return path.read_text(encoding="utf-8")
    if not (_ACCOUNT.fullmatch(text) or text.startswith("arn:") or re.fullmatch(r"[a-z0-9-]+\.amazonaws\.com", text)):
        raise click.ClickException(f"{text} is no account id, ARN, service principal or file")
    kind = "Service" if text.endswith(".amazonaws.com") else "AWS"
    # Roles Anywhere tags its sessions and names their source (iam.md 11.2).
    actions = ["sts:AssumeRole"] + (["sts:TagSession", "sts:SetSourceIdentity"] if kind == "Service" else [])
    statement = {"Effect": "Allow", "Principal": {kind: text}, "Action": actions}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _context(given: tuple[str, ...]) -> dict[str, str | tuple[str, ...]]:
    from greatseal.domain.access.language import MULTIVALUED_KEYS

    values: dict[str, tuple[str, ...]] = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.ClickException(f"expected KEY=VALUE, got {text!r}")
        values[key] = (*values.get(key, ()), value)
    many = {key.lower() for key in MULTIVALUED_KEYS} | {"acm:domainnames"}
    return {key: found if len(found) > 1 or key.lower() in many else found[0] for key, found in values.items()}


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise click.ClickException(f"{name!r} is not a name: 1 to 64 letters, digits and +=,.@-_")


def _show(credential: Any, as_json: bool) -> None:
    """The credential as exports for a shell, or as one JSON object with the same names."""
    variables = {
        "AWS_ACCESS_KEY_ID": credential.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credential.secret.reveal().decode("ascii"),
    }
    if as_json:
        click.echo(json.dumps({**variables, "Arn": credential.principal_arn, "Account": credential.account}))
        return
    click.echo(f"# {credential.principal_arn}")
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")
