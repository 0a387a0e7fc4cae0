"""OCSP requests made of damage and of nonsense: each gets an OCSP message, and none finds a defect."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from doors.ocsp_client import ENABLED, Door, ca_certificate, request, verify
from doors.pki import Pki
from greatseal.edge.messages import HttpResponse
from greatseal.storage import open_storage
from greatseal.storage.migrate import migrate
from properties.examples import examples


@dataclass(frozen=True)
class Setting:
    """A CA with OCSP, and honest requests about a certificate of it."""

    door: Door
    root: object
    originals: list[bytes]


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    storage = open_storage(f"sqlite:///{tmp_path_factory.mktemp('ocsp')}/greatseal.db")
    migrate(storage)
    pki = Pki(storage)
    arn = pki.root(RevocationConfiguration=ENABLED)
    root, leaf = ca_certificate(pki, arn), pki.certificate(arn)
    originals = [
        request(leaf, root),
        request(leaf, root, hash=hashes.SHA256()),
        request(leaf, root, nonce=bytes(range(32))),
        request(4711, root),
    ]
    yield Setting(Door(pki), root, originals)
    storage.close()


def judge(setting: Setting, response: HttpResponse) -> None:
    assert response.status == 200
    answer = ocsp.load_der_ocsp_response(response.body)
    if answer.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL:
        verify(answer, setting.root, setting.door.pki.now)  # type: ignore[arg-type]
    else:
        assert answer.response_status.name in ("MALFORMED_REQUEST", "UNAUTHORIZED")


@given(data=st.data())
@examples(300)
def test_damaged_requests(setting: Setting, data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(setting.originals)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(octets) - 1)))
        match data.draw(st.integers(0, 4)):
            case 0 if octets:
                octets[at] ^= 1 << data.draw(st.integers(0, 7))
            case 1 if octets:
                octets[at] = data.draw(st.sampled_from([0, 1, 2, 4, 5, 0x30, 0x80, 0x82, 0xA0, 0xA2, 0xFF]))
            case 2:
                del octets[at : at + data.draw(st.integers(1, 40))]
            case 3:
                octets[at:at] = octets[at : at + data.draw(st.integers(1, 40))]
            case _:
                octets[at:at] = data.draw(st.binary(max_size=20))
    judge(setting, setting.door.post(bytes(octets)))
    judge(setting, setting.door.get(bytes(octets)))


@given(octets=st.binary(max_size=300))
@examples(100)
def test_nonsense(setting: Setting, octets: bytes) -> None:
    judge(setting, setting.door.post(octets))
    judge(setting, setting.door.get(octets))


@given(path=st.text(max_size=60), prefix=st.integers(0, 200))
@examples(100)
def test_nonsense_in_the_path(setting: Setting, path: str, prefix: int) -> None:
    start = base64.b64encode(setting.originals[0]).decode()[:prefix]
    judge(setting, setting.door.send("GET", f"/ocsp/{start}{quote(path)}"))
