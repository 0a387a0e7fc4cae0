"""What a request says about itself: condition keys and their values (iam.md 5).

A `Context` maps keys to a text or, for a multivalued key, to a tuple of texts; keys have no case. Whoever
builds it leaves out keys that have no value (an absent key and an empty one are different questions to
`Null` and `IfExists`), writes booleans as `true` and `false`, times as ISO 8601 with `Z`, and fills in the
defaults of the service's own keys (an omitted KeyAlgorithm is `RSA_2048`).
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise

Value = str | tuple[str, ...]

GLOBAL_KEYS = (
    # always
    "aws:CurrentTime",
    "aws:EpochTime",
    "aws:SecureTransport",
    "aws:UserAgent",
    "aws:RequestedRegion",
    "aws:ViaAWSService",
    "aws:PrincipalType",
    "aws:userid",
    "aws:PrincipalAccount",
    "aws:ResourceAccount",
    "aws:SourceIp",
    # signed requests
    "aws:PrincipalArn",
    "aws:PrincipalIsAWSService",
    # members of an organization
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:ResourceOrgID",
    "aws:ResourceOrgPaths",
    # tags; the first three are followed by the name of a tag
    "aws:PrincipalTag/",
    "aws:RequestTag/",
    "aws:ResourceTag/",
    "aws:TagKeys",
    # users
    "aws:username",
    # temporary credentials
    "aws:TokenIssueTime",
    "aws:MultiFactorAuthPresent",
    "aws:MultiFactorAuthAge",
    "aws:SourceIdentity",
    "aws:FederatedProvider",
    # a service on somebody's behalf
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    # others
    "aws:SourceVpc",
    "aws:SourceVpce",
    "aws:VpcSourceIp",
    "aws:Referer",
)
"""The names of the global keys as AWS writes them; a name that ends in `/` is followed by a tag key."""

MULTIVALUED_KEYS = frozenset(
    {"aws:PrincipalOrgPaths", "aws:ResourceOrgPaths", "aws:TagKeys", "aws:CalledVia", "aws:PrincipalServiceNamesList"}
)
"""The global keys whose value is a tuple, also when it has one item."""


class AmbiguousContext(ValueError):
    """Two keys that differ only in case, such as the tags `Team` and `team` of one request (iam.md 4)."""


class Context(Mapping[str, Value]):
    """Condition keys of one request. Raises AmbiguousContext for keys that differ only in case."""

    __slots__ = ("folded",)

    def __init__(self, values: Mapping[str, Value] | None = None) -> None:
        given = values or {}
        self.folded: dict[str, Value] = {key.lower(): value for key, value in given.items()}
        if len(self.folded) != len(given):
            seen = sorted(given, key=str.lower)
            twice = next(a for a, b in pairwise(seen) if a.lower() == b.lower())
            raise AmbiguousContext(f"the key {twice!r} is there in two spellings")

    def __getitem__(self, key: str) -> Value:
        return self.folded[key.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self.folded)

    def __len__(self) -> int:
        return len(self.folded)

    def __repr__(self) -> str:
        return f"Context({self.folded!r})"
