"""Which root credential is good: the generated one, until the settings name another."""

import pytest

from greatseal.kernel.secret import Secret
from greatseal.storage import Storage
from greatseal.testing import Installation
from greatseal.testing.installation import ACCOUNT


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_configured_root_credential_replaces_the_generated_one(storage: Storage) -> None:
    generated = Installation(storage).credential
    access = Installation(storage).rooms.access
    assert access.find(generated.access_key_id) is not None

    restarted = Installation(storage).rooms.access
    restarted.configure_root("AKIACONFIGURED000000", Secret(b"x" * 40), account=ACCOUNT)
    assert restarted.find(generated.access_key_id) is None
    found = restarted.find("AKIACONFIGURED000000")
    assert found is not None
    assert found.account == ACCOUNT
