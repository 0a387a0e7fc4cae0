"""Name constraints: which names a CA may certify (RFC 5280 section 4.2.1.10; acm-pca.md 9).

`check` walks the names of a certificate against the constraints of a chain; `subtrees` knows, for each name
form, whether one name is inside one subtree.
"""

from greatseal.x509.constraints.check import check_names, check_supported
from greatseal.x509.constraints.subtrees import Unreadable

__all__ = ["Unreadable", "check_names", "check_supported"]
