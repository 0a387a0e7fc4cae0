"""NIST's Public Key Interoperability Test Suite: every certificate and list of the suite is a candidate in every test.

The suite says which path to validate; here the finder has to find it among 200 CA certificates, many of them invalid.
"""

import tarfile
from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from greatseal.x509 import der
from greatseal.x509.certificate import Certificate
from greatseal.x509.crl import RevocationList
from greatseal.x509.path import ANY_POLICY, Rules, Valid, find
from greatseal.x509.revocation import Material, Mode, judge, standings

DATA = Path(__file__).parent.parent / "data"
AT = datetime(2022, 5, 1, tzinfo=UTC)
POLICY = "2.16.840.1.101.3.2.1.48."
DSA = "DSA signatures are not accepted: nothing in Greatseal makes or trusts DSA keys."
INDIRECT = "Indirect CRLs are refused, so that what they vouch for stays of unknown status (docs/verify.md)."
SKIPPED = {
    "4.1.4": DSA,
    "4.1.5": DSA,
    "4.1.6": "The DSA signature is damaged so that it is not even a whole number of octets: refused when it is read.",
    "4.14.22": INDIRECT,
    "4.14.24": INDIRECT,
    "4.14.25": INDIRECT,
    "4.14.28": INDIRECT,
    "4.14.29": INDIRECT,
    "4.14.30": INDIRECT,
    "4.14.33": INDIRECT,
}


class Suite(NamedTuple):
    certificates: dict[str, Certificate]
    lists: list[RevocationList]

    @property
    def authorities(self) -> list[Certificate]:
        return [each for name, each in self.certificates.items() if not name.endswith("EE")]


@cache
def suite() -> Suite:
    found = Suite({}, [])
    unreadable = set()
    with tarfile.open(DATA / "pkits.tar.xz") as archive:
        for member in archive.getmembers():
            if not member.isfile():
                continue
            opened = archive.extractfile(member)
            assert opened is not None
            content, name = opened.read(), Path(member.name)
            try:
                if name.suffix == ".crt":
                    found.certificates[name.stem] = Certificate.parse(content)
                else:
                    found.lists.append(RevocationList.parse(content))
            except der.DerError:
                unreadable.add(name.stem)
    # The suite damages a signature by shifting its bits.
    assert unreadable == {"BadSignedCACert", "InvalidDSASignatureTest6EE", "BadCRLSignatureCACRL"}
    return found


def cases():
    lines = (DATA / "pkits.txt").read_text(encoding="ascii").splitlines()
    for line in lines:
        if line.startswith("#"):
            continue
        number, name, expected, *settings = line.split()
        marks = [pytest.mark.skip(reason=SKIPPED[number])] if number in SKIPPED else []
        yield pytest.param(name, expected, settings, id=" ".join((number, *settings)), marks=marks)


def rules_of(settings: list[str]) -> Rules:
    policies = next((each.removeprefix("policies=") for each in settings if each.startswith("policies=")), "")
    return Rules(
        at=AT,
        policies=frozenset(POLICY + each for each in policies.split(",")) if policies else ANY_POLICY,
        require_explicit_policy="explicit" in settings,
        inhibit_policy_mapping="no-mapping" in settings,
        inhibit_any_policy="no-any" in settings,
    )


@pytest.mark.parametrize(("name", "expected", "settings"), list(cases()))
def test_the_outcome_is_that_of_nist(name, expected, settings):
    certificates, authorities, lists = suite().certificates, suite().authorities, suite().lists
    rules = rules_of(settings)

    def not_revoked(path):
        found = standings(path, Material(lists), rules, intermediates=authorities)
        return judge(path, found, Mode.HARD_FAIL)

    anchor = certificates["TrustAnchorRootCertificate"]
    verdict = find(certificates[name], authorities, [anchor], rules, check=not_revoked)
    said = "valid" if isinstance(verdict, Valid) else verdict.problem.code.value
    assert said == expected
    if isinstance(verdict, Valid) and rules.policies != ANY_POLICY:
        assert verdict.policies <= rules.policies


def test_every_test_of_the_suite_is_there():
    """All 224; some are listed several times, once for each setting that the document asks for."""
    sections = Counter(int(number.split(".")[1]) for number in {case.id.split()[0] for case in cases()})
    assert [sections[each] for each in range(1, 17)] == [6, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2]
    assert sum(sections.values()) == 224
    assert set(SKIPPED) <= {case.id.split()[0] for case in cases()}
