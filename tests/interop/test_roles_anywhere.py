"""The public Python client of IAM Roles Anywhere against a real service (iam.md 11.2, workflows.md 29)."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session
from cryptography.hazmat.primitives import serialization

from conformance.hierarchy import Customer
from doors.anywhere import TRUSTING
from doors.pki import P256, csr, rsa_key
from interop.conftest import Service

client = pytest.importorskip("iam_rolesanywhere_session")


def connect(service: Service, name: str) -> Any:
    variables = service.environment
    session = Session()
    session.set_credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return session.create_client(
        name,
        region_name=variables["AWS_DEFAULT_REGION"],
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        verify=variables["AWS_CA_BUNDLE"],
    )


@pytest.mark.interop
@pytest.mark.parametrize("key", [P256, None], ids=["ecdsa", "rsa"])
def test_the_session_package(service: Service, customer: Customer, chain: Any, tmp_path: Path, key: Any) -> None:
    """Root as anchor, the subordinate in the chain header, credentials that list certificates."""
    key = key or rsa_key()
    authority = chain("EC_prime256v1")
    issued = customer.issue(authority, csr("workload", key=key))
    iam, control = connect(service, "iam"), connect(service, "rolesanywhere")
    name = f"Workload-{type(key).__name__}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUSTING))["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/AWSCertificateManagerReadOnly")
    anchor = control.create_trust_anchor(
        name="root",
        enabled=True,
        source={"sourceType": "CERTIFICATE_BUNDLE", "sourceData": {"x509CertificateData": issued.root}},
    )
    profile = control.create_profile(name="p", enabled=True, roleArns=[role], acceptRoleSessionName=True)
    variables = service.environment
    session = client.IAMRolesAnywhereSession(
        profile_arn=profile["profile"]["profileArn"],
        role_arn=role,
        trust_anchor_arn=anchor["trustAnchor"]["trustAnchorArn"],
        certificate=issued.certificate.encode(),
        certificate_chain=issued.intermediates.encode(),
        private_key=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
        region=variables["AWS_DEFAULT_REGION"],
        endpoint=f"{service.host}:{service.port}",
        verify=variables["AWS_CA_BUNDLE"],
        role_session_name="pod-1",
    ).get_session()
    endpoint = variables["AWS_ENDPOINT_URL"]
    identity = session.client("sts", endpoint_url=endpoint).get_caller_identity()
    assert identity["Arn"].endswith(f":assumed-role/{name}/pod-1")
    session.client("acm", endpoint_url=endpoint).list_certificates()
