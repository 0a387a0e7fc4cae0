"""A CA that speaks ACME without a wire: the state of its orders, and a test's hand on every call."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from greatseal.domain.upstream.jose import base64url, thumbprint
from greatseal.domain.upstream.ports import Account, Answer, Problem
from greatseal.kernel.clock import Clock

BASE = "https://ca.test"


class MadeCa:
    """Implements `AcmeServer`. `look_at` tells what is published for a challenge: whether it is the expected text."""

    def __init__(self, clock: Clock, published: Callable[[str, str, str], bool]) -> None:
        self.calls: list[str] = []
        self.on_call: Callable[[str], None] = lambda call: None
        self.orders: dict[str, dict[str, Any]] = {}
        self.authorizations: dict[str, dict[str, Any]] = {}
        self.accounts: dict[bytes, str] = {}
        self.issued: list[x509.Certificate] = []
        self.replaced: list[str | None] = []
        self.revoked: list[tuple[str, int]] = []
        self.slow = False
        self.window: tuple[datetime, datetime, timedelta | None] | None = None
        self.spoil: Callable[[x509.CertificateBuilder], x509.CertificateBuilder] = lambda builder: builder
        self._clock, self._published = clock, published
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Made CA")])
        self.root = self._make_root()

    @property
    def directory_url(self) -> str:
        return f"{BASE}/directory"

    def directory(self) -> Mapping[str, Any]:
        known = {name: f"{BASE}/{name}" for name in ("newNonce", "newAccount", "newOrder", "revokeCert")}
        return known if self.window is None else known | {"renewalInfo": f"{BASE}/ari"}

    def new_account(self, account: Account, *, contact: Sequence[str], binding: tuple[str, bytes] | None) -> str:
        self._note("new account")
        url = self.accounts.setdefault(account.signer.spki, f"{BASE}/account/{len(self.accounts)}")
        self._note("new account done")
        return url

    def new_order(self, account: Account, names: Sequence[str], *, profile: str | None, replaces: str | None) -> Answer:
        self._note("new order", account)
        self.replaced.append(replaces)
        url = f"{BASE}/order/{len(self.orders)}"
        made = []
        for name in names:
            authorization = f"{BASE}/authorization/{len(self.authorizations)}"
            challenges = [
                {
                    "type": kind,
                    "url": f"{authorization}/{kind}",
                    "token": f"token{len(self.authorizations)}",
                    "status": "pending",
                }
                for kind in ("dns-01", "http-01")
            ]
            self.authorizations[authorization] = {
                "status": "pending",
                "identifier": {"type": "dns", "value": name.removeprefix("*.")},
                "challenges": challenges,
            }
            made.append(authorization)
        self.orders[url] = {
            "status": "pending",
            "authorizations": made,
            "finalize": f"{url}/finalize",
            "names": list(names),
        }
        self._note("new order done")
        return Answer(self.orders[url], url)

    def look(self, account: Account, url: str) -> Answer:
        self._note(f"look {url.split('/')[3]}", account)
        if url in self.authorizations:
            return Answer(self.authorizations[url], url)
        order = self.orders[url]
        states = {self.authorizations[each]["status"] for each in order["authorizations"]}
        if order["status"] == "pending" and "invalid" in states:
            order["status"] = "invalid"
        if order["status"] == "pending" and states == {"valid"}:
            order["status"] = "ready"
        if order["status"] == "processing" and not self.slow:
            order["status"] = "valid"
        return Answer(dict(order), url, timedelta(seconds=90) if order["status"] == "processing" else None)

    def post(self, account: Account, url: str, members: Mapping[str, Any]) -> Answer:
        if url.endswith("/revokeCert"):
            self._note("revoke", account)
            if members["certificate"] in [each for each, _ in self.revoked]:
                raise Problem("alreadyRevoked", "it is revoked", status=400)
            self.revoked.append((members["certificate"], members["reason"]))
            return Answer({})
        kind = url.rpartition("/")[2]
        self._note("finalize" if kind == "finalize" else "answer", account)
        if kind == "finalize":
            self._finalize(url.rpartition("/")[0], members["csr"])
        else:
            self._validate(account, url.rpartition("/")[0], kind)
        self._note("finalize done" if kind == "finalize" else "answer done")
        return Answer({})

    def certificate(self, account: Account, url: str) -> bytes:
        self._note("certificate", account)
        leaf = self.issued[int(url.rpartition("/")[2])]
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (leaf, self.root))

    def renewal_window(self, url: str) -> tuple[datetime, datetime, timedelta | None]:
        self._note(f"window {url.rpartition('/')[2]}")
        assert self.window is not None
        return self.window

    def _note(self, call: str, account: Account | None = None) -> None:
        self.calls.append(call)
        self.on_call(call)
        if account is not None and account.url not in self.accounts.values():
            raise Problem("accountDoesNotExist", "who are you", status=400)

    def _validate(self, account: Account, url: str, kind: str) -> None:
        authorization = self.authorizations[url]
        challenge = next(each for each in authorization["challenges"] if each["type"] == kind)
        expected = f"{challenge['token']}.{thumbprint(account.signer.spki)}"
        if kind == "dns-01":
            digest = hashes.Hash(hashes.SHA256())
            digest.update(expected.encode())
            expected = base64url(digest.finalize())
        good = self._published(authorization["identifier"]["value"], challenge["token"], expected)
        authorization["status"] = challenge["status"] = "valid" if good else "invalid"
        if not good:
            error = {"type": "urn:ietf:params:acme:error:incorrectResponse", "detail": "that is not there"}
            challenge["error"] = error

    def _finalize(self, url: str, csr: str) -> None:
        from base64 import urlsafe_b64decode

        order = self.orders[url]
        if order["status"] != "ready":
            raise Problem("orderNotReady", "not ready", status=403)
        request = x509.load_der_x509_csr(urlsafe_b64decode(csr + "=" * (-len(csr) % 4)))
        now = self._clock.now()
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self._name)
            .public_key(request.public_key())
            .serial_number(0x8000 + len(self.issued))
            .not_valid_before(now)
            .not_valid_after(now + timedelta(days=90))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in order["names"]]), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        self.issued.append(self.spoil(builder).sign(self._key, hashes.SHA256()))
        order["status"] = "processing" if self.slow else "valid"
        order["certificate"] = f"{BASE}/certificate/{len(self.issued) - 1}"

    def _make_root(self) -> x509.Certificate:
        now = self._clock.now()
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
