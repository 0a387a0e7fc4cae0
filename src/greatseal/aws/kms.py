"""KMS: every operation, by name (kms.md)."""

from greatseal.aws.door import OperationFunction
from greatseal.aws.kms_asking import KeyAsking
from greatseal.aws.kms_cryptography import CryptographicOperations
from greatseal.aws.kms_keys import KeyOperations
from greatseal.aws.kms_material import MaterialOperations
from greatseal.aws.kms_sharing import SharingOperations
from greatseal.aws.kms_stores import StoreOperations
from greatseal.domain.access import Access
from greatseal.domain.audit import Audit
from greatseal.domain.keys.managed import ManagedKeys
from greatseal.kernel.pages import PageTokens


def operations(*, access: Access, keys: ManagedKeys, audit: Audit, tokens: PageTokens) -> dict[str, OperationFunction]:
    """Operation functions by operation name."""
    asking = KeyAsking(access=access, directory=keys.directory, grants=keys.grants)
    things = KeyOperations(asking=asking, directory=keys.directory, regions=keys.regions, audit=audit, tokens=tokens)
    sharing = SharingOperations(
        access=access, asking=asking, directory=keys.directory, aliases=keys.aliases, grants=keys.grants
    )
    cryptography = CryptographicOperations(
        asking=asking,
        directory=keys.directory,
        signing=keys.signing,
        encryption=keys.encryption,
        agreement=keys.agreement,
    )
    material = MaterialOperations(asking=asking, imports=keys.imports, rotation=keys.rotation)
    stores = StoreOperations(asking=asking, stores=keys.stores)
    return {
        **things.operations(),
        **sharing.operations(),
        **cryptography.operations(),
        **material.operations(),
        **stores.operations(),
    }
