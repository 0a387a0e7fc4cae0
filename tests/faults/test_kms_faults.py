"""KMS keys when the database fails at each call, and when two nodes do the same at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import structlog
from botocore.exceptions import ClientError
from sqlalchemy import select

from doors.kms import HERE, Kms, wrapped_directly
from greatseal.domain.access.store.tables import resource_policy
from greatseal.domain.keys.managed.store.aliases import kms_alias
from greatseal.domain.keys.managed.store.grants import kms_grant
from greatseal.domain.keys.managed.store.imports import kms_import
from greatseal.domain.keys.managed.store.keys import kms_key
from greatseal.domain.keys.managed.store.materials import kms_material
from greatseal.domain.keys.model import Purpose
from greatseal.domain.keys.store import key as sealed
from greatseal.storage import Storage, Tx
from greatseal.storage.errors import StorageError
from greatseal.storage.tx import open_storage
from greatseal.testing import FakeEntropy, Installation
from greatseal.testing.faults import FaultyStorage

APPLIED = pytest.mark.parametrize("applied", [False, True], ids=["before", "after"])
SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
MORE_THAN_ENOUGH = 40
MATERIAL = bytes(range(32))


@pytest.fixture
def faulty(storage_url: str) -> Iterator[FaultyStorage]:
    storage = FaultyStorage(storage_url)
    yield storage
    storage.close()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with structlog.testing.capture_logs():
        yield


def consistent(storage: Storage) -> None:
    """Every secret belongs to somebody, every key has all that a key needs, and nothing is left of one that is gone."""

    def look(tx: Tx) -> None:
        secrets = {row.id for row in tx.all(select(sealed).where(sealed.c.purpose == Purpose.KMS.value))}
        keys = {row.arn: row for row in tx.all(select(kms_key))}
        materials = tx.all(select(kms_material))
        wrapping = tx.all(select(kms_import))
        used = {row.secret_id for row in materials if row.secret_id} | {row.secret_id for row in wrapping}
        assert secrets == used
        policies = {row.resource_arn for row in tx.all(select(resource_policy)) if ":kms:" in row.resource_arn}
        assert policies == keys.keys()
        for table, column in ((kms_material, "key_arn"), (kms_grant, "key_arn"), (kms_alias, "target_arn")):
            assert {getattr(row, column) for row in tx.all(select(table))} <= keys.keys(), table.name
        for arn, row in keys.items():
            current = [each.id for each in materials if each.key_arn == arn and each.state == "CURRENT"]
            assert current == ([] if row.material is None else [row.material]), arn
            if row.state == "Enabled":
                assert all(
                    each.secret_id for each in materials if each.key_arn == arn and each.state != "PENDING_ROTATION"
                )

    storage.read(look)


def each_fault(
    k: Kms, faulty: FaultyStorage, applied: bool, ready: Callable[[], Any], act: Callable[[Any], Any]
) -> int:
    """Does the act again and again, with a fault at the next call of the database each time; how many there were."""
    reached = 0
    for at in range(1, MORE_THAN_ENOUGH):
        given = ready()
        faulty.fail(at=at, applied=applied)
        try:
            act(given)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] < 500:
                raise
        except StorageError:
            pass  # the loop around the upkeep tries again at its next tick
        over = not faulty.failed
        faulty.heal()
        consistent(faulty)
        if over:
            return reached
        reached = at
    raise AssertionError("there is no end of calls")


@SQLITE
@APPLIED
def test_creation(faulty: FaultyStorage, applied: bool) -> None:
    k = Kms(faulty)
    assert each_fault(k, faulty, applied, lambda: None, lambda _: k.create("ECC_NIST_P256")) >= 2


@SQLITE
@APPLIED
def test_rotation(faulty: FaultyStorage, applied: bool) -> None:
    k = Kms(faulty)
    blobs = []

    def ready() -> str:
        key = k.create(MultiRegion=True)
        k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
        blobs.append(k.kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"])
        return key

    assert each_fault(k, faulty, applied, ready, lambda key: k.kms.rotate_key_on_demand(KeyId=key)) >= 3
    there = k.installation.client("kms", region="eu-west-1")
    for blob in blobs:
        assert (
            k.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == there.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
        )
    for each in k.kms.list_keys(Limit=1000)["Keys"]:
        here = k.describe(each["KeyArn"])["CurrentKeyMaterialId"]
        assert there.describe_key(KeyId=each["KeyId"])["KeyMetadata"]["CurrentKeyMaterialId"] == here


@SQLITE
@APPLIED
def test_import(faulty: FaultyStorage, applied: bool) -> None:
    k = Kms(faulty)

    def ready() -> dict[str, Any]:
        key = k.external()
        given = k.kms.get_parameters_for_import(
            KeyId=key, WrappingAlgorithm="RSAES_OAEP_SHA_256", WrappingKeySpec="RSA_2048"
        )
        return {
            "KeyId": key,
            "ImportToken": given["ImportToken"],
            "EncryptedKeyMaterial": wrapped_directly(given["PublicKey"], MATERIAL),
            "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
        }

    def act(given: dict[str, Any]) -> None:
        tried.append(given)
        k.kms.import_key_material(**given)

    tried: list[dict[str, Any]] = []
    assert each_fault(k, faulty, applied, ready, act) >= 4
    for given in tried:
        # Until the material is there, the token is good.
        if k.state(given["KeyId"]) == "PendingImport":
            k.kms.import_key_material(**given)
        assert k.state(given["KeyId"]) == "Enabled"
    consistent(faulty)


@SQLITE
@APPLIED
def test_deletion(faulty: FaultyStorage, applied: bool) -> None:
    k = Kms(faulty)
    upkeep = k.installation.rooms.managed_keys.upkeep

    def ready() -> str:
        key = k.create(MultiRegion=True, Tags=[{"TagKey": "a", "TagValue": "b"}])
        k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
        k.kms.create_alias(AliasName=f"alias/{key[-12:]}", TargetKeyId=key)
        k.kms.create_grant(KeyId=key, GranteePrincipal=f"{HERE}:root", Operations=["Decrypt"])
        there = k.installation.client("kms", region="eu-west-1")
        there.schedule_key_deletion(KeyId=key.replace("us-east-1", "eu-west-1"), PendingWindowInDays=7)
        k.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        k.clock.advance(timedelta(days=7))
        return key

    assert each_fault(k, faulty, applied, ready, lambda _: upkeep.run()) >= 3
    for _ in range(2):
        upkeep.run()
        k.clock.advance(timedelta(days=7))
    upkeep.run()
    consistent(faulty)
    assert k.kms.list_keys()["Keys"] == []


@SQLITE
@APPLIED
def test_replication(faulty: FaultyStorage, applied: bool) -> None:
    k = Kms(faulty)

    def ready() -> str:
        return k.create("ECC_NIST_P256", MultiRegion=True)

    act = lambda key: k.kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")  # noqa: E731
    assert each_fault(k, faulty, applied, ready, act) >= 3


def two_nodes(storage_url: str) -> tuple[Kms, Installation, Storage]:
    """Two installations on one database."""
    first = Kms(open_storage(storage_url))
    elsewhere = open_storage(storage_url)
    return first, Installation(elsewhere, clock=first.clock, entropy=FakeEntropy("second")), elsewhere


@POSTGRESQL
def test_two_nodes_rotate_a_key_once(storage_url: str) -> None:
    k, node, elsewhere = two_nodes(storage_url)
    try:
        keys = [k.create() for _ in range(5)]
        for key in keys:
            k.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
        k.clock.advance(timedelta(days=90))
        with ThreadPoolExecutor(4) as pool:
            runs = [pool.submit(each.rooms.managed_keys.upkeep.run) for each in (k.installation, node) * 2]
            for run in runs:
                run.result()
        for key in keys:
            assert len(k.kms.list_key_rotations(KeyId=key)["Rotations"]) == 1
        consistent(k.storage)
    finally:
        elsewhere.close()
        k.storage.close()


@POSTGRESQL
def test_a_named_grant_is_made_once(storage_url: str) -> None:
    k, node, elsewhere = two_nodes(storage_url)
    try:
        key = k.create()
        credential = k.installation.credential
        given = {"KeyId": key, "GranteePrincipal": f"{HERE}:root", "Operations": ["Decrypt"], "Name": "app"}
        clients = [k.kms, *(node.client("kms", credential=credential) for _ in range(3))]
        with ThreadPoolExecutor(4) as pool:
            made = list(pool.map(lambda client: client.create_grant(**given), clients * 3))
        assert len({each["GrantId"] for each in made}) == 1
        assert len({each["GrantToken"] for each in made}) == len(made)
        assert len(k.kms.list_grants(KeyId=key)["Grants"]) == 1
    finally:
        elsewhere.close()
        k.storage.close()
