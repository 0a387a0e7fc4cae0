"""docs/access.md lists the condition keys that are served: all of them, and no others."""

import re
from pathlib import Path

from botocore.session import get_session

import greatseal
from greatseal.aws.catalogue import SERVICES
from greatseal.domain.access.language import GLOBAL_KEYS

SOURCE = Path(greatseal.__file__).parent
PAGE = (Path(__file__).parents[3] / "docs" / "access.md").read_text(encoding="utf-8")
SERVED, UNSERVED = (
    PAGE.split("Not served, so never there:")[0],
    PAGE.split("Not served, so never there:")[1].split("Keys of")[0],
)
# f"aws:{whose}OrgID" is written once for principals and resources.
PATTERNS = {"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:ResourceOrgID", "aws:ResourceOrgPaths"}


def code() -> str:
    """What fills contexts: everything but the language, which knows all keys by name."""
    files = (path for path in SOURCE.rglob("*.py") if "language" not in path.parts)
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def keys_of(text: str, prefix: str) -> set[str]:
    return set(re.findall(rf"`({prefix}:[A-Za-z]+)(?:/KEY)?`", text))


def test_global_keys() -> None:
    known = {key.rstrip("/") for key in GLOBAL_KEYS}
    served, unserved = keys_of(SERVED, "aws"), keys_of(UNSERVED, "aws")
    assert served | unserved == known
    assert not served & unserved
    text = code()
    for key in served - PATTERNS:
        assert re.search(rf'"{key}["/]', text), key
    assert 'f"aws:{whose}OrgID"' in text
    assert 'f"aws:{whose}OrgPaths"' in text
    for key in unserved:
        assert f'"{key}"' not in text, key


def test_keys_of_services() -> None:
    listed = keys_of(PAGE, "(?:acm|acm-pca|iam|kms|sts|organizations|ram|rolesanywhere)")
    services = "acm|acm-pca|iam|kms|sts|organizations|ram|rolesanywhere"
    written = set(re.findall(rf'"((?:{services}):[A-Z][A-Za-z]+)[/"]', code()))
    operations = {
        f"{model.signing_name}:{operation}"
        for model in (get_session().get_service_model(service) for service in SERVICES)
        for operation in model.operation_names
    }
    permissions = {
        "acm-pca:GenerateCRL",
        "iam:PassRole",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
        "kms:RotateKey",
        "sts:TagSession",
        "sts:SetSourceIdentity",
        "rolesanywhere:CreateSession",
    }
    keys = {each for each in written - operations - permissions if not re.search(r":(Get|Put|List|Delete)[A-Z]", each)}
    assert keys - {"acm-pca:CertificateAuthority"} == listed  # the resource type of RAM
