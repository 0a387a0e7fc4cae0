"""The IAM policy language: parse a document, compile it once, and evaluate requests against it (iam.md 2-6).

Pure: no storage, no clock; what a request knows about itself comes in a `Context`. A document goes through
`parse_policy` when it is saved and through `compile_policy` when it is first used; `evaluate` weighs all the
policies around a request and `denial_sentence` says why not. Calls no other room.
"""

from greatseal.domain.access.language.compile import CompiledPolicy, Decision, Request, compile_policy
from greatseal.domain.access.language.context import GLOBAL_KEYS, MULTIVALUED_KEYS, AmbiguousContext, Context
from greatseal.domain.access.language.denial import denial_sentence
from greatseal.domain.access.language.document import (
    Effect,
    MalformedPolicy,
    Policy,
    PolicyKind,
    PolicyTooLarge,
    Reach,
    Statement,
)
from greatseal.domain.access.language.evaluate import Circumstances, DecidedBy, Verdict, evaluate
from greatseal.domain.access.language.grammar import LIMITS, parse_policy
from greatseal.domain.access.language.principal import Principal, PrincipalKind
from greatseal.domain.access.language.source import size_of

__all__ = [
    "GLOBAL_KEYS",
    "LIMITS",
    "MULTIVALUED_KEYS",
    "AmbiguousContext",
    "Circumstances",
    "CompiledPolicy",
    "Context",
    "DecidedBy",
    "Decision",
    "Effect",
    "MalformedPolicy",
    "Policy",
    "PolicyKind",
    "PolicyTooLarge",
    "Principal",
    "PrincipalKind",
    "Reach",
    "Request",
    "Statement",
    "Verdict",
    "compile_policy",
    "denial_sentence",
    "evaluate",
    "parse_policy",
    "size_of",
]
