"""The room of keys: private keys are made, kept sealed, and used here.

Ruled by docs/keys.md. A key of an authority never leaves; other rooms hold a `Signer`. Calls no other
room; the acts that use a key are recorded by the rooms that ask for them.
"""

from greatseal.domain.keys.model import KeyRecord, NewKey, Purpose, StoreRefuses
from greatseal.domain.keys.pool import KeyPool
from greatseal.domain.keys.ports import KeyStore, StoreHealth
from greatseal.domain.keys.service import Keys

__all__ = ["KeyPool", "KeyRecord", "KeyStore", "Keys", "NewKey", "Purpose", "StoreHealth", "StoreRefuses"]
