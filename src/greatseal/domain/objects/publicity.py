"""Whether a bucket policy is public: what the public access block forbids and restricts.

Source: "The meaning of public", Amazon S3 User Guide. A statement for everybody is public unless a condition binds it
to fixed values of one of the keys below.
"""

from greatseal.domain.access.language import Effect, PolicyKind, Statement, parse_policy

_BINDING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:userid",
    }
)
_OPERATORS = frozenset({"StringEquals", "StringLike", "ArnEquals", "ArnLike", "IpAddress", "StringEqualsIgnoreCase"})
_EVERYWHERE = frozenset({"0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1"})


def is_public(document: str) -> bool:
    """Whether some statement lets everybody in."""
    return any(_lets_everybody_in(each) for each in parse_policy(document, PolicyKind.RESOURCE).statements)


def _lets_everybody_in(statement: Statement) -> bool:
    if statement.effect is not Effect.ALLOW or statement.principals is None:
        return False
    if not (statement.principals.everyone or statement.not_principals):
        return False
    return not any(
        condition.operator in _OPERATORS
        and not condition.if_exists
        and condition.key.lower() in _BINDING
        and all(value not in _EVERYWHERE and not set("*?$") & set(value) for value in condition.values)
        for condition in statement.conditions
    )


def resources(document: str) -> tuple[str, ...]:
    """Every resource that the policy names, also as an exception."""
    return tuple(
        resource for each in parse_policy(document, PolicyKind.RESOURCE).statements for resource in each.resources
    )
