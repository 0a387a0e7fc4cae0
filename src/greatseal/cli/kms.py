"""`greatseal kms`: certificate requests that keys of KMS sign (docs/signing.md)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from greatseal.cli import options
from greatseal.cli.signing_keys import Unusable, kms_key_of

if TYPE_CHECKING:
    from greatseal.crypto.algorithms import KeyAlgorithm, SignatureAlgorithm
    from greatseal.integrations.kms_keys import KmsKey
    from greatseal.x509.general_names import GeneralName


@click.group("kms")
def command() -> None:
    """Make certificate requests with keys of KMS.

    \b
    Examples:
      greatseal kms csr --key alias/CodeSigning --subject 'CN=Releases,O=Example,C=NL' --out releases.csr
    """


@command.command("csr")
@click.option("--key", "key_id", required=True, metavar="KEY", help="Alias, id or ARN of a key that signs.")
@click.option("--subject", required=True, metavar="NAME", help="As in RFC 4514: CN=App,O=Example,C=NL.")
@click.option("--san", "names", multiple=True, metavar="KIND:VALUE", help="dns:, ip:, email: or uri:; repeatable.")
@click.option("--algorithm", metavar="NAME", help="A signing algorithm of the key.  [default: its first]")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Where to write.  [default: printed]")
@click.option("--der", "as_der", is_flag=True, help="Write DER instead of PEM; with --out.")
@options.data
@options.config
def csr_command(
    key_id: str,
    subject: str,
    names: tuple[str, ...],
    algorithm: str | None,
    out: Path | None,
    as_der: bool,
    data: Path | None,
    config: Path | None,
) -> None:
    """Print a certificate request for a key pair of KMS, signed by that key.

    RSA, EC of NIST curves, and ML-DSA.  The private key stays where it is: KMS signs the request.

    Exit code 0: here it is.  1: KMS did not sign.  2: the request cannot be made.

    \b
    Examples:
      greatseal kms csr --key alias/CodeSigning --subject CN=Releases > releases.csr
      aws acm-pca issue-certificate --csr fileb://releases.csr \\
          --template-arn arn:aws:acm-pca:::template/CodeSigningCertificate/V1 ...
    """
    from greatseal.domain.signing import KeyFailed, identifier_of
    from greatseal.kernel.errors import MalformedCsr
    from greatseal.x509 import csr, der, pem
    from greatseal.x509.extensions import subject_alternative_name
    from greatseal.x509.name_text import parse_name

    if as_der and out is None:
        raise Unusable("--der goes with --out: DER is not for terminals")
    try:
        wanted = parse_name(subject)
        san = [_general_name(each) for each in names]
        extensions = [subject_alternative_name(san)] if san else []
    except der.DerError as error:
        raise Unusable(f"--subject or --san: {error}") from None
    key = kms_key_of(key_id, data, config)
    try:
        row = identifier_of(algorithm or key.spec.signing_algorithms[0], key.spec)
    except KeyFailed as error:
        raise Unusable(str(error)) from None
    if key.spec.key_algorithm is None:
        raise Unusable(f"no certificate authority certifies a key of spec {key.spec.name}")
    try:
        made = csr.build_csr(wanted, _Signer(key, key.spec.key_algorithm, key.spki), row, extensions)
        # As an authority reads it: whether the signature is good, too.
        csr.parse_csr(made)
    except (KeyFailed, MalformedCsr) as error:
        raise click.ClickException(str(error)) from None
    text = (pem.write("CERTIFICATE REQUEST", made) + "\n").encode()
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        out.write_bytes(made if as_der else text)
    except OSError as error:
        raise Unusable(f"{out}: {error.strerror or error}") from None


@dataclass(frozen=True, slots=True)
class _Signer:
    """A key of KMS as `build_csr` sees it."""

    key: "KmsKey"
    algorithm: "KeyAlgorithm"
    spki: bytes

    def sign(self, data: bytes, algorithm: "SignatureAlgorithm") -> bytes:
        return self.key.sign(data, algorithm.identifier)

    def sign_digest(self, digest: bytes, algorithm: "SignatureAlgorithm") -> bytes:
        raise ValueError(f"a request is signed as a whole, not as a digest of {len(digest)} octets by {algorithm.name}")


def _general_name(text: str) -> "GeneralName":
    """One name of the SAN. Raises DerError."""
    from greatseal.x509 import der
    from greatseal.x509.general_names import GeneralName, dns, ip

    kind, colon, value = text.partition(":")
    if colon and value:
        match kind:
            case "dns":
                return dns(value)
            case "ip":
                return ip(value)
            case "email":
                return GeneralName("email", value)
            case "uri":
                return GeneralName("uri", value)
            case _:
                pass
    raise der.DerError(f"{text[:80]!r} is not dns:, ip:, email: or uri: and a value")
