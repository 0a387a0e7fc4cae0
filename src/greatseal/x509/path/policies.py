"""Certificate policies along a path: a graph that cannot grow beyond what the certificates say (RFC 9618).

RFC 5280 describes a tree, in which mappings multiply: a few certificates make billions of nodes. Here each policy
has one node a depth, and its parents are policies of the depth above.
"""

from dataclasses import dataclass

from greatseal.x509.certificate import Certificate
from greatseal.x509.extensions import OID
from greatseal.x509.extensions.policies import (
    read_inhibit_any_policy,
    read_policy_constraints,
    read_policy_mappings,
    read_policy_oids,
)
from greatseal.x509.path.model import Rules

_ANY = OID.ANY_POLICY


class _Node:
    """One policy at one depth: what it is called one certificate further down, and the policies it came from."""

    __slots__ = ("expected", "parents")

    def __init__(self, expected: set[str], parents: set[str]) -> None:
        self.expected, self.parents = expected, parents


_Level = dict[str, _Node]


@dataclass
class _Counters:
    """How many further certificates may do without a policy, map policies, and say anyPolicy (section 6.1.2)."""

    explicit: int
    mapping: int
    any: int


class PolicyGraph:
    """The policy state of RFC 5280 section 6.1, certificate by certificate from the anchor down.

    Its methods raise DerError when an extension cannot be read.
    """

    def __init__(self, rules: Rules, length: int) -> None:
        """`length` counts the certificates below the anchor."""
        self._wanted = rules.policies
        # The top: anyPolicy, under no parent. None when no policy is valid any more (the NULL graph).
        self._levels: list[_Level] | None = [{_ANY: _Node({_ANY}, set())}]
        self._counters = _Counters(
            explicit=0 if rules.require_explicit_policy else length + 1,
            mapping=0 if rules.inhibit_policy_mapping else length + 1,
            any=0 if rules.inhibit_any_policy else length + 1,
        )

    @property
    def size(self) -> int:
        """How many nodes there are: at most one for each policy and depth."""
        return sum(map(len, self._levels or ()))

    def take(self, certificate: Certificate, *, last: bool) -> bool:
        """Steps (d) to (f) of section 6.1.3; False when a policy was needed and none is valid."""
        extension = certificate.extension(OID.CERTIFICATE_POLICIES)
        if extension is None:
            self._levels = None
        elif self._levels is not None:
            self._grow(read_policy_oids(extension), self._counters.any > 0 or (not last and certificate.is_self_issued))
        return self._levels is not None or self._counters.explicit > 0

    def prepare(self, certificate: Certificate) -> bool:
        """Steps (a), (b) and (h) to (j) of section 6.1.4; False when anyPolicy is mapped."""
        mappings = certificate.extension(OID.POLICY_MAPPINGS)
        if mappings is not None:
            mapped: dict[str, set[str]] = {}
            for theirs, ours in read_policy_mappings(mappings):
                if _ANY in (theirs, ours):
                    return False
                mapped.setdefault(theirs, set()).add(ours)
            self._map(mapped)
        self.count(certificate, self_issued=certificate.is_self_issued)
        return True

    def count(self, certificate: Certificate, *, self_issued: bool) -> None:
        """Steps (h) to (j) of section 6.1.4; a trust anchor, which is not counted itself, counts as self-issued."""
        counters = self._counters
        if not self_issued:
            counters.explicit = max(counters.explicit - 1, 0)
            counters.mapping = max(counters.mapping - 1, 0)
            counters.any = max(counters.any - 1, 0)
        constraints = certificate.extension(OID.POLICY_CONSTRAINTS)
        if constraints is not None:
            read = read_policy_constraints(constraints)
            counters.explicit = _lower(counters.explicit, read.require_explicit_policy)
            counters.mapping = _lower(counters.mapping, read.inhibit_policy_mapping)
        inhibit = certificate.extension(OID.INHIBIT_ANY_POLICY)
        if inhibit is not None:
            counters.any = _lower(counters.any, read_inhibit_any_policy(inhibit))

    def finish(self, certificate: Certificate) -> frozenset[str] | None:
        """Steps (a), (b) and (g) of section 6.1.5 for the end of the path.

        Returns the policies of the user that the path is valid for, or None when there had to be one.
        """
        counters = self._counters
        counters.explicit = max(counters.explicit - 1, 0)
        constraints = certificate.extension(OID.POLICY_CONSTRAINTS)
        if constraints is not None and read_policy_constraints(constraints).require_explicit_policy == 0:
            counters.explicit = 0
        valid = self._constrained_by_user()
        return valid if valid or counters.explicit > 0 else None

    def _grow(self, policies: frozenset[str], any_counts: bool) -> None:
        """Step (d): the level of this certificate."""
        assert self._levels is not None
        above = self._levels[-1]
        expecting: dict[str, set[str]] = {}
        for name, node in above.items():
            for policy in node.expected:
                expecting.setdefault(policy, set()).add(name)
        level: _Level = {}
        for policy in policies - {_ANY}:
            if policy in expecting:
                level[policy] = _Node({policy}, expecting[policy])
            elif _ANY in above:
                level[policy] = _Node({policy}, {_ANY})
        if _ANY in policies and any_counts:
            for policy, parents in expecting.items():
                level.setdefault(policy, _Node({policy}, parents))
        self._levels.append(level)
        self._prune()

    def _map(self, mapped: dict[str, set[str]]) -> None:
        """Step (b) of section 6.1.4: the policies are called otherwise below this certificate."""
        if self._levels is None:
            return
        level = self._levels[-1]
        for policy, names in mapped.items():
            if self._counters.mapping == 0:
                level.pop(policy, None)
            elif policy in level:
                level[policy].expected = names
            elif _ANY in level:
                level[policy] = _Node(names, {_ANY})
        self._prune()

    def _prune(self) -> None:
        """Removes every node above the last level that nothing stands below."""
        assert self._levels is not None
        for depth in range(len(self._levels) - 1, 0, -1):
            needed = {parent for node in self._levels[depth].values() for parent in node.parents}
            self._levels[depth - 1] = {name: node for name, node in self._levels[depth - 1].items() if name in needed}
        if not self._levels[-1]:
            self._levels = None

    def _constrained_by_user(self) -> frozenset[str]:
        """Step (g) as RFC 9618 section 5.5 has it: policies in the anchor's words, cut with those of the user."""
        if self._levels is None:
            return frozenset()
        authority = {
            name for level in self._levels[1:] for name, node in level.items() if name != _ANY and _ANY in node.parents
        }
        if _ANY in self._levels[-1]:
            authority.add(_ANY)
        if _ANY in self._wanted:
            return frozenset(authority)
        return self._wanted if _ANY in authority else self._wanted & authority


def _lower(counter: int, said: int | None) -> int:
    return counter if said is None else min(counter, said)
