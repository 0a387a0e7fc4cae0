"""`greatseal mdl iaca`, `ds` and `check`: the certificates of an issuing authority."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from greatseal.cli import options
from greatseal.cli.mdl.files import FILE, Unusable, certificates, write
from greatseal.cli.wire import wire_of

if TYPE_CHECKING:
    from greatseal.x509.certificate import Certificate

_output = click.option("--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
_out = click.option("--out", type=FILE, help="Write the certificate (PEM) to this file.  [default: standard output]")


def _subject(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--organization", help="organizationName of the subject."),
        click.option("--state", help="stateOrProvinceName of the subject."),
        click.option("--common-name", required=True, help="commonName of the subject."),
    ):
        command = option(command)
    return command


@click.command("iaca")
@click.option("--country", required=True, help="countryName: the upper-case code of two letters.")
@_subject
@click.option("--contact", required=True, help="IssuerAltName: a mail address or a URL of the authority.")
@click.option("--bucket", required=True, help="Bucket of the installation that the revocation list is written to.")
@click.option(
    "--crl-host", metavar="HOST", help="Name before the list's path.  [default: the service's plain listener]"
)
@click.option(
    "--crl-days", type=click.IntRange(1, 5000), default=90, show_default=True, help="How long a list is good."
)
@click.option("--days", type=click.IntRange(1, 7305), default=3285, show_default=True, help="How long the root lives.")
@click.option(
    "--key-algorithm",
    type=click.Choice(["EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]),
    default="EC_prime256v1",
    show_default=True,
)
@click.option("--resume", metavar="ARN", help="Finish a CA that this command had created when it was stopped.")
@_out
@_output
@options.config
@options.data
def iaca(data: Path | None, config: Path | None, output: str, out: Path | None, **given: Any) -> None:
    """Create the root CA of an issuing authority, conformant to ISO/IEC 18013-5 table B.1.

    Its certificate is looked at before it is put to use.  Prints the ARN, and the PEM unless --out takes it.

    \b
    Examples:
      greatseal mdl iaca --country US --state US-CA --common-name "mDL IACA Root" \\
        --contact https://dmv.example.com --bucket dmv-lists --crl-host lists.dmv.example.com --out root.pem
    """
    from greatseal.cli.mdl import ceremony
    from greatseal.x509.countries import COUNTRIES

    if given["country"] not in COUNTRIES:
        raise Unusable("--country: an upper-case code of ISO 3166-1 alpha-2 is expected, for instance US")
    wire = wire_of(data, config)
    base = f"http://{given['crl_host']}" if given["crl_host"] else wire.plain_url
    if base is None:
        raise Unusable("name the host of the revocation list with --crl-host, or the service with --data")
    order = ceremony.RootOrder(
        subject=_named(given, Country=given["country"]),
        contact=given["contact"],
        key_algorithm=given["key_algorithm"],
        days=given["days"],
        bucket=given["bucket"],
        crl_days=given["crl_days"],
        crl_base=base,
        crl_host=given["crl_host"],
    )
    with _errors():
        arn = given["resume"] or ceremony.create_authority(wire.service.call, order)
        click.echo(f"created {arn}", err=True)
        root = ceremony.install_root(wire.service.call, arn, order)
    _show(root, output, out, arn=arn)


@click.command("ds")
@click.option("--iaca", "authority", metavar="ARN", required=True, help="The root CA that certifies the signer.")
@click.option("--key", metavar="KEY", help="KMS key: id, ARN or alias.  [default: a new one]")
@click.option(
    "--key-spec",
    type=click.Choice(["ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521"]),
    default="ECC_NIST_P256",
    show_default=True,
    help="Of the new key.",
)
@_subject
@click.option("--locality", help="localityName of the subject.")
@click.option("--contact", help="IssuerAltName.  [default: that of the root]")
@click.option(
    "--days", type=click.IntRange(1, 7305), default=457, show_default=True, help="How long it lives; 457 at most."
)
@_out
@_output
@options.config
@options.data
def ds(data: Path | None, config: Path | None, output: str, out: Path | None, **given: Any) -> None:
    """Certify a KMS key as a document signer, conformant to ISO/IEC 18013-5 table B.3.

    Country and state are those of the root.  Prints the key, and the PEM unless --out takes it.

    \b
    Examples:
      greatseal mdl ds --iaca arn:aws:acm-pca:… --common-name "mDL signer 2027" --out signer.pem
      greatseal mdl ds --iaca arn:aws:acm-pca:… --key alias/mdl --common-name "mDL signer" --days 90
    """
    from greatseal.cli.mdl import ceremony
    from greatseal.kernel.clock import SystemClock
    from greatseal.x509.extensions import OID, read_crl_urls, read_san
    from greatseal.x509.mdl_profiles import countries, root_deviations, states

    wire = wire_of(data, config)
    with _errors():
        root = ceremony.read_authority(wire.service.call, given["authority"])
        ceremony.refuse(root_deviations(root))
        contact, points = root.extension(OID.ISSUER_ALTERNATIVE_NAME), root.extension(OID.CRL_DISTRIBUTION_POINTS)
        assert contact is not None
        assert points is not None
        given["state"] = given["state"] or next(iter(states(root.subject)), None)
        key = given["key"] or _new_key(wire.service.call, given["key_spec"])
        click.echo(f"key {key}", err=True)
        order = ceremony.SignerOrder(
            authority=given["authority"],
            root=root,
            key_id=key,
            subject=_named(given, Country=countries(root.subject)[0]),
            contact=given["contact"] or str(read_san(contact)[0]),
            days=given["days"],
            crl_url=read_crl_urls(points)[0],
        )
        signer, _ = ceremony.certify_signer(wire.service.call, order, SystemClock().now())
    _show(signer, output, out, key=key)


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
@click.option("--root", "root_file", type=FILE, help="The IACA root of document signers; without it FILEs are roots.")
@_output
def check(files: tuple[Path, ...], root_file: Path | None, output: str) -> None:
    """Hold certificates against the profiles of ISO/IEC 18013-5 annex B and print everything that is otherwise.

    Exit code 0: all conform.  1: one does not.  2: a file cannot be read.

    \b
    Examples:
      greatseal mdl check root.pem
      greatseal mdl check signer.pem --root root.pem
    """
    from greatseal.x509.mdl_profiles import root_deviations, signer_deviations

    root = certificates(root_file)[0] if root_file else None
    results = []
    for path in files:
        certificate = certificates(path)[0]
        found = signer_deviations(certificate, root) if root else root_deviations(certificate)
        results.append((path, found))
    if output == "json":
        told = [{"file": str(p), "deviations": [{"code": d.code, "what": d.what} for d in f]} for p, f in results]
        click.echo(json.dumps(told, indent=2))
    else:
        for path, found in results:
            click.echo(f"{path}: conforms" if not found else f"{path}: {len(found)} deviations")
            for each in found:
                click.echo(f"  {each.what}")
    sys.exit(1 if any(found for _, found in results) else 0)


def _named(given: dict[str, Any], **more: str) -> dict[str, str]:
    members = {"CommonName": "common_name", "State": "state", "Organization": "organization", "Locality": "locality"}
    return more | {member: given[name] for member, name in members.items() if given.get(name)}


def _new_key(call: Callable[..., Any], spec: str) -> str:
    made = call("kms", "create_key", KeySpec=spec, KeyUsage="SIGN_VERIFY", Description="mDL document signer")
    arn: str = made["KeyMetadata"]["Arn"]
    return arn


@contextmanager
def _errors() -> Iterator[None]:
    from greatseal.cli.mdl.ceremony import NotConformant
    from greatseal.integrations.aws_service import CallFailed
    from greatseal.kernel.errors import Refusal
    from greatseal.x509.der import DerError

    try:
        yield
    except (CallFailed, NotConformant, Refusal, DerError) as error:
        raise click.ClickException(str(error)) from error


def _show(certificate: "Certificate", output: str, out: Path | None, **more: str) -> None:
    from greatseal.x509.pem import write_certificates

    text = write_certificates([certificate.der]) + "\n"
    if out is not None:
        write(out, text.encode())
    if output == "json":
        told = {**more, "certificate": text, "not_after": certificate.not_after.isoformat()}
        click.echo(json.dumps(told, indent=2))
        return
    for value in more.values():
        click.echo(value)
    if out is None:
        click.echo(text, nl=False)
