"""Governance as people run it: the AWS CLI in two accounts (workflows.md 3 and 22)."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from interop.conftest import GREATSEAL, Service
from interop.programs import environment

pytestmark = pytest.mark.interop
AWS = Path(sys.executable).with_name("aws")


@dataclass(frozen=True)
class Shell:
    """A shell in which the AWS CLI runs as somebody."""

    folder: Path
    variables: dict[str, str]

    def aws(self, *words: str) -> Any:
        """What the CLI answers. Raises AssertionError with its words when it fails."""
        done = self._run(*words)
        assert done.returncode == 0, f"aws {' '.join(words)}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *words: str) -> str:
        """What the CLI complains about."""
        done = self._run(*words)
        assert done.returncode != 0, f"aws {' '.join(words)}\n{done.stdout}"
        return done.stderr.strip()

    def said(self, *words: str) -> str:
        """What the CLI answers or complains about."""
        done = self._run(*words)
        return (done.stdout + done.stderr).strip()

    def being(self, access_key_id: str, secret: str, token: str = "") -> "Shell":
        """The same shell with other credentials."""
        own = {"AWS_ACCESS_KEY_ID": access_key_id, "AWS_SECRET_ACCESS_KEY": secret}
        return replace(self, variables={**self.variables, **own, **({"AWS_SESSION_TOKEN": token} if token else {})})

    def assuming(self, role: str) -> "Shell":
        """As `aws sts assume-role` and three exports would leave it."""
        found = self.aws("sts", "assume-role", "--role-arn", role, "--role-session-name", "cli")["Credentials"]
        return self.being(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])

    def write(self, name: str, content: object) -> str:
        """A JSON file, as the CLI wants it named."""
        (self.folder / name).write_text(json.dumps(content), encoding="utf-8")
        return f"file://{name}"

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = (str(AWS), "--output", "json", *words)
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**environment(), **self.variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def owner(service: Service, tmp_path: Path) -> Shell:
    return Shell(tmp_path, service.environment)


def other_account(service: Service, owner: Shell, name: str) -> Shell:
    """The root of an account outside the organization."""
    data = Path(service.environment["AWS_CA_BUNDLE"]).parent
    command = (str(GREATSEAL), "access", "create-account", name, "--email", f"{name}@example.com", "--json")
    done = subprocess.run(
        (*command, "--data", str(data)), env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    return owner.being(made["AWS_ACCESS_KEY_ID"], made["AWS_SECRET_ACCESS_KEY"])


def root_authority(shell: Shell) -> str:
    """An active root CA."""
    configuration = {
        "KeyAlgorithm": "RSA_2048",
        "SigningAlgorithm": "SHA256WITHRSA",
        "Subject": {"Organization": "Example.com", "CommonName": "Example Root"},
    }
    file = shell.write("ca.json", configuration)
    create = ("create-certificate-authority", "--certificate-authority-type", "ROOT")
    made = shell.aws("acm-pca", *create, "--certificate-authority-configuration", file)
    arn = ("--certificate-authority-arn", made["CertificateAuthorityArn"])
    csr = shell.aws("acm-pca", "get-certificate-authority-csr", *arn)["Csr"]
    (shell.folder / "ca.csr").write_text(csr, encoding="ascii")
    template = ("--template-arn", "arn:aws:acm-pca:::template/RootCACertificate/V1")
    term = ("--validity", "Value=10,Type=YEARS", "--signing-algorithm", "SHA256WITHRSA")
    issued = shell.aws("acm-pca", "issue-certificate", *arn, "--csr", "fileb://ca.csr", *template, *term)
    found = shell.aws("acm-pca", "get-certificate", *arn, "--certificate-arn", issued["CertificateArn"])
    (shell.folder / "ca.pem").write_text(found["Certificate"], encoding="ascii")
    shell.aws("acm-pca", "import-certificate-authority-certificate", *arn, "--certificate", "fileb://ca.pem")
    return arn[1]


def issued_certificate(shell: Shell, arn: str) -> dict[str, Any]:
    """The description, once it is issued; starting the CLI anew takes long enough to be no hurry."""
    for _ in range(60):
        detail: dict[str, Any] = shell.aws("acm", "describe-certificate", "--certificate-arn", arn)["Certificate"]
        if detail["Status"] != "PENDING_VALIDATION":
            return detail
    raise AssertionError(detail)


def test_one_ca_for_many_accounts(service: Service, owner: Shell) -> None:
    """The walk of workflows.md 3."""
    consumer = other_account(service, owner, "consumer")
    account = consumer.aws("sts", "get-caller-identity")["Account"]
    authority = root_authority(owner)
    share = owner.aws(
        *("ram", "create-resource-share", "--name", "Shared_Private_CA"),
        *("--resource-arns", authority, "--principals", account),
    )["resourceShare"]["resourceShareArn"]
    request = ("acm", "request-certificate", "--domain-name", "www.example2.com", "--validation-method", "DNS")
    (invitation,) = consumer.aws("ram", "get-resource-share-invitations")["resourceShareInvitations"]
    assert (invitation["status"], invitation["receiverAccountId"]) == ("PENDING", account)
    accept = ("ram", "accept-resource-share-invitation", "--resource-share-invitation-arn")
    assert consumer.aws(*accept, invitation["resourceShareInvitationArn"])["resourceShareInvitation"]["status"] == (
        "ACCEPTED"
    )
    shared = consumer.aws("acm-pca", "list-certificate-authorities", "--resource-owner", "OTHER_ACCOUNTS")
    assert [each["Arn"] for each in shared["CertificateAuthorities"]] == [authority]
    arn = consumer.aws(*request, "--certificate-authority-arn", authority)["CertificateArn"]
    detail = issued_certificate(consumer, arn)
    assert (detail["Type"], detail["Status"], detail["Issuer"]) == ("PRIVATE", "ISSUED", "Example.com")
    assert (detail["KeyAlgorithm"], detail["SignatureAlgorithm"]) == ("RSA-2048", "SHA256WITHRSA")
    assert f":{account}:" in arn
    owner.aws("ram", "delete-resource-share", "--resource-share-arn", share)
    describe = ("acm-pca", "describe-certificate-authority", "--certificate-authority-arn", authority)
    assert "because no resource-based policy allows the acm-pca:DescribeCertificateAuthority action" in (
        consumer.refused(*describe)
    )


DENY = {"Effect": "Deny", "Action": "acm:RequestCertificate", "Resource": "*"}


def control(*conditions: dict[str, Any]) -> dict[str, Any]:
    """A service control policy of one denial for each condition."""
    return {"Version": "2012-10-17", "Statement": [{**DENY, "Condition": each} for each in conditions]}


def test_the_four_examples_of_service_control(owner: Shell) -> None:
    """workflows.md 22: which requests are denied, in which words, and that the denial is in the trail."""
    organization = owner.aws("organizations", "create-organization")["Organization"]
    assert organization["FeatureSet"] == "ALL"
    top = owner.aws("organizations", "list-roots")["Roots"][0]["Id"]
    enable = ("organizations", "enable-policy-type", "--policy-type", "SERVICE_CONTROL_POLICY", "--root-id", top)
    owner.aws(*enable)
    create = ("organizations", "create-account", "--account-name", "apps", "--email", "apps@example.com")
    status = owner.aws(*create)["CreateAccountStatus"]
    told = ("organizations", "describe-create-account-status", "--create-account-request-id", status["Id"])
    account = owner.aws(*told)["CreateAccountStatus"]["AccountId"]

    # An administrator of the new account, by the role that Organizations made in it.
    admin = owner.assuming(f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        ],
    }
    roles = {}
    for name in ("mail", "app1", "app2"):
        file = admin.write("trust.json", trust)
        made = admin.aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", file)
        roles[name] = made["Role"]["Arn"]
        full = "arn:aws:iam::aws:policy/AWSCertificateManagerFullAccess"
        admin.aws("iam", "attach-role-policy", "--role-name", name, "--policy-arn", full)
    shells = {name: admin.assuming(arn) for name, arn in roles.items()}

    def asks(shell: Shell, *more: str) -> str:
        return shell.said("acm", "request-certificate", "--domain-name", *more)

    def denied(name: str) -> str:
        return (
            "An error occurred (AccessDeniedException) when calling the RequestCertificate operation: "
            f"User: arn:aws:sts::{account}:assumed-role/{name}/cli is not authorized to perform: "
            f"acm:RequestCertificate on resource: arn:aws:acm:us-east-1:{account}:certificate/* "
            "with an explicit deny in a service control policy"
        )

    allowed = '"CertificateArn"'
    excepting = {"ArnNotLike": {"aws:PrincipalArn": [roles["mail"]]}}
    examples = {
        "email": control({"StringLike": {"acm:ValidationMethod": "EMAIL"}, **excepting}),
        "wildcards": control({"ForAnyValue:StringLike": {"acm:DomainNames": ["${*}.*"]}}),
        "names": control(
            *(
                {
                    "ForAnyValue:StringEquals": {"acm:DomainNames": f"{app}.example.com"},
                    "ArnNotLike": {"aws:PrincipalArn": [roles[app], roles["mail"]]},
                }
                for app in ("app1", "app2")
            )
        ),
        "keys": control({"StringLike": {"acm:KeyAlgorithm": "RSA*"}}),
    }

    def under(name: str) -> str:
        """Attaches an example to the account; its id."""
        file = owner.write("scp.json", examples[name])
        words = ("--name", name, "--description", name, "--type", "SERVICE_CONTROL_POLICY", "--content", file)
        made: str = owner.aws("organizations", "create-policy", *words)["Policy"]["PolicySummary"]["Id"]
        owner.aws("organizations", "attach-policy", "--policy-id", made, "--target-id", account)
        return made

    def leave(policy: str) -> None:
        owner.aws("organizations", "detach-policy", "--policy-id", policy, "--target-id", account)

    policy = under("email")
    assert asks(shells["app1"], "www.example.com", "--validation-method", "EMAIL") == denied("app1")
    assert allowed in asks(shells["app1"], "www.example.com", "--validation-method", "DNS")
    assert allowed in asks(shells["mail"], "www.example.com", "--validation-method", "EMAIL")
    leave(policy)
    policy = under("wildcards")
    assert asks(shells["app1"], "*.example.com", "--validation-method", "DNS") == denied("app1")
    names = ("www.example.com", "--subject-alternative-names", "*.www.example.com")
    assert asks(shells["app1"], *names) == denied("app1")
    assert allowed in asks(shells["app1"], "www.example.com")
    leave(policy)
    policy = under("names")
    assert asks(shells["app2"], "app1.example.com") == denied("app2")
    assert asks(shells["app1"], "app2.example.com") == denied("app1")
    assert allowed in asks(shells["app1"], "app1.example.com")
    assert allowed in asks(shells["mail"], "app2.example.com")
    assert allowed in asks(shells["app2"], "other.example.com")
    leave(policy)
    policy = under("keys")
    assert asks(shells["app1"], "www.example.com") == denied("app1")
    assert asks(shells["app1"], "www.example.com", "--key-algorithm", "RSA_2048") == denied("app1")
    assert allowed in asks(shells["app1"], "www.example.com", "--key-algorithm", "EC_prime256v1")

    wanted = "AttributeKey=EventName,AttributeValue=RequestCertificate"
    events = admin.aws("cloudtrail", "lookup-events", "--lookup-attributes", wanted)["Events"]
    records = [json.loads(each["CloudTrailEvent"]) for each in events]
    refused = [each for each in records if each.get("errorCode") == "AccessDenied"]
    assert len(refused) == 7
    assert all(each["responseElements"] is None and each["requestParameters"]["domainName"] for each in refused)
    assert {each["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] for each in refused} == {"app1", "app2"}
