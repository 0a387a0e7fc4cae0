"""Customer managed keys as KMS has them: the part of the keys room that stands behind the KMS wire (kms.md).

Keys are made, named by aliases, lent by grants, rotated, imported, spread over regions and ended here, and they sign,
encrypt and agree. Their material is sealed in the same table as every other private key (docs/keys.md). Calls the
access, audit, events and tags rooms.
"""

from collections.abc import Callable
from dataclasses import dataclass

from greatseal.domain.access import Access, ResourcePolicies
from greatseal.domain.audit import Audit
from greatseal.domain.events import Events
from greatseal.domain.keys.managed.agreement import Agreement
from greatseal.domain.keys.managed.aliases import Aliases
from greatseal.domain.keys.managed.cipher import SymmetricCipher
from greatseal.domain.keys.managed.custom_stores import CustomStores
from greatseal.domain.keys.managed.directory import Directory, Found, KeyOrder
from greatseal.domain.keys.managed.encryption import Encryption
from greatseal.domain.keys.managed.external import ExternalKeys
from greatseal.domain.keys.managed.grants import GrantPolicies, Grants
from greatseal.domain.keys.managed.imports import KeyImports
from greatseal.domain.keys.managed.opening import OpenMaterials
from greatseal.domain.keys.managed.policies import KeyPolicies
from greatseal.domain.keys.managed.ports import KeyProxies
from greatseal.domain.keys.managed.regions import Regions
from greatseal.domain.keys.managed.rotation import Rotation
from greatseal.domain.keys.managed.signing import Signing
from greatseal.domain.keys.managed.upkeep import Upkeep
from greatseal.domain.keys.service import Keys
from greatseal.domain.tags import Tags
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.pages import PageTokens
from greatseal.storage import Storage

__all__ = [
    "Aliases",
    "CustomStores",
    "Directory",
    "Found",
    "GrantPolicies",
    "Grants",
    "KeyOrder",
    "KeyProxies",
    "ManagedKeys",
]


@dataclass(frozen=True, slots=True)
class ManagedKeys:
    """The verbs on managed keys, by noun."""

    directory: Directory
    aliases: Aliases
    grants: Grants
    signing: Signing
    encryption: Encryption
    agreement: Agreement
    imports: KeyImports
    rotation: Rotation
    regions: Regions
    stores: CustomStores
    upkeep: Upkeep

    @classmethod
    def over(
        cls,
        *,
        storage: Storage,
        keys: Keys,
        access: Access,
        resource_policies: ResourcePolicies,
        tags: Tags,
        events: Events,
        audit: Audit,
        clock: Clock,
        entropy: Entropy,
        tokens: PageTokens,
        proxies: KeyProxies,
        is_region: Callable[[str], bool] = lambda region: True,
    ) -> "ManagedKeys":
        """Builds the verbs; `proxies` reaches external key stores, `is_region` says which regions are served."""
        policies = KeyPolicies(access=access, resource_policies=resource_policies)
        external = ExternalKeys(storage=storage, keys=keys, proxies=proxies)
        directory = Directory(
            storage=storage,
            access=access,
            keys=keys,
            external=external,
            policies=policies,
            tags=tags,
            events=events,
            audit=audit,
            clock=clock,
            entropy=entropy,
            tokens=tokens,
        )
        materials = OpenMaterials(storage=storage, keys=keys)
        imports = KeyImports(
            storage=storage, directory=directory, keys=keys, audit=audit, clock=clock, entropy=entropy, tokens=tokens
        )
        rotation = Rotation(
            storage=storage, directory=directory, keys=keys, events=events, audit=audit, clock=clock, tokens=tokens
        )
        return cls(
            directory=directory,
            aliases=Aliases(storage=storage, directory=directory, audit=audit, clock=clock, tokens=tokens),
            grants=Grants(
                storage=storage,
                access=access,
                directory=directory,
                audit=audit,
                clock=clock,
                entropy=entropy,
                tokens=tokens,
            ),
            signing=Signing(materials=materials, audit=audit, clock=clock),
            encryption=Encryption(
                materials=materials,
                cipher=SymmetricCipher(materials=materials, external=external, entropy=entropy),
                audit=audit,
                clock=clock,
                entropy=entropy,
            ),
            agreement=Agreement(materials=materials, audit=audit, clock=clock),
            imports=imports,
            rotation=rotation,
            regions=Regions(
                storage=storage,
                directory=directory,
                policies=policies,
                tags=tags,
                audit=audit,
                clock=clock,
                is_enabled=is_region,
            ),
            stores=CustomStores(
                storage=storage,
                keys=keys,
                proxies=proxies,
                audit=audit,
                clock=clock,
                entropy=entropy,
                tokens=tokens,
            ),
            upkeep=Upkeep(
                storage=storage,
                directory=directory,
                imports=imports,
                rotation=rotation,
                events=events,
                clock=clock,
                entropy=entropy,
            ),
        )
