"""Short ways for tests to make policies and to ask them."""

import json
from typing import Any

from greatseal.domain.access.language import (
    Circumstances,
    CompiledPolicy,
    Context,
    PolicyKind,
    Principal,
    PrincipalKind,
    Request,
    compile_policy,
    parse_policy,
)
from rooms.access.plain import Asked, Who, World


def compiled(document: Any, kind: PolicyKind = PolicyKind.IDENTITY, name: str = "") -> CompiledPolicy:
    return compile_policy(parse_policy(json.dumps(document), kind), name)


def statement(effect: str = "Allow", action: Any = "*", resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **elements}


def policy(*statements: dict[str, Any], kind: PolicyKind = PolicyKind.IDENTITY, name: str = "") -> CompiledPolicy:
    return compiled({"Version": "2012-10-17", "Statement": list(statements)}, kind, name)


def holds(condition: dict[str, Any], context: dict[str, Any], version: str = "2012-10-17") -> bool:
    """Whether a condition is true of a context."""
    document = {"Version": version, "Statement": statement(Condition=condition)}
    return compiled(document).decide(Request(ANYBODY, "a:B", "r", Context(context))).effect is not None


def principal(who: Who) -> Principal:
    return Principal(PrincipalKind(who.kind), who.arn, who.account, who.role, service_linked=who.linked)


def request(asked: Asked) -> Request:
    return Request(principal(asked.who), asked.action, asked.resource, Context(asked.context))


def circumstances(world: World, who: Who) -> Circumstances:
    def each(documents: list[Any]) -> tuple[CompiledPolicy, ...]:
        return tuple(compiled(document) for document in documents)

    return Circumstances(
        principal=principal(who),
        resource_account=world.owner,
        identity=each(world.identity),
        boundary=None if world.boundary is None else compiled(world.boundary, PolicyKind.BOUNDARY),
        session=None if world.session is None else each(world.session),
        resource=None if world.resource is None else compiled(world.resource, PolicyKind.RESOURCE),
        authoritative=world.authoritative,
        scp_levels=tuple(tuple(compiled(one, PolicyKind.SCP) for one in level) for level in world.scps),
        management_account=world.management,
    )


ANYBODY = Principal.anonymous()
