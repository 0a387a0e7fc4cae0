"""The verbs of profiles."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from greatseal.domain.access.language import MalformedPolicy, PolicyKind, parse_policy
from greatseal.domain.anywhere.attributes import read_specifiers, with_rules, without_rules
from greatseal.domain.anywhere.model import DEFAULT_DURATION, Field, Profile
from greatseal.domain.anywhere.shelf import Shelf
from greatseal.domain.tags import Tag
from greatseal.kernel.arn import Arn
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import InvalidArgument, InvalidPolicy


@dataclass(frozen=True, slots=True)
class ProfileValues:
    """What an owner says about a profile; None leaves a value as it is, or as it is by default."""

    name: str | None = None
    role_arns: tuple[str, ...] | None = None
    session_policy: str | None = None
    managed_policy_arns: tuple[str, ...] | None = None
    duration_seconds: int | None = None
    accepts_session_name: bool | None = None


class Profiles:
    """Creates and changes profiles."""

    def __init__(self, *, shelf: Shelf[Profile]) -> None:
        self.shelf = shelf

    def create(
        self,
        caller: Caller,
        values: ProfileValues,
        *,
        enabled: bool,
        requires_instance_properties: bool,
        alias: str | None,
        tags: Sequence[Tag],
    ) -> Profile:
        """Raises InvalidPolicy for a session policy outside its grammar, InvalidArgument for ARNs of other things."""
        _check(values)
        return self.shelf.create(
            caller,
            lambda id, arn, now: Profile(
                id=id,
                arn=arn,
                account=caller.account,
                region=caller.region,
                name=values.name or "",
                enabled=enabled,
                created_at=now,
                updated_at=now,
                role_arns=values.role_arns or (),
                session_policy=values.session_policy,
                managed_policy_arns=values.managed_policy_arns or (),
                duration_seconds=values.duration_seconds or DEFAULT_DURATION,
                accepts_session_name=bool(values.accepts_session_name),
                requires_instance_properties=requires_instance_properties,
            ),
            alias=alias,
            tags=tags,
        )

    def update(
        self, caller: Caller, arn: str, values: ProfileValues, *, alias: str | None
    ) -> tuple[Profile, str | None]:
        """The profile and the alias that it gave up. Raises as `create`."""
        _check(values)
        given = {name: value for name in ProfileValues.__slots__ if (value := getattr(values, name)) is not None}
        return self.shelf.change(caller, arn, lambda profile: replace(profile, **given), alias=alias)

    def put_mapping(self, caller: Caller, arn: str, field: Field, specifiers: Sequence[str]) -> Profile:
        """Adds mapping rules to those of the field. Raises InvalidArgument for unknown specifiers."""
        rules = read_specifiers(field, specifiers)
        return self.shelf.change(
            caller, arn, lambda profile: replace(profile, mappings=with_rules(profile.mappings, field, rules))
        )[0]

    def delete_mapping(self, caller: Caller, arn: str, field: Field, specifiers: Sequence[str] | None) -> Profile:
        """Removes mapping rules of a field, with None all of them. Raises InvalidArgument for one that is not there."""
        rules = None if specifiers is None else read_specifiers(field, specifiers)
        return self.shelf.change(
            caller, arn, lambda profile: replace(profile, mappings=without_rules(profile.mappings, field, rules))
        )[0]


def _check(values: ProfileValues) -> None:
    if values.session_policy is not None:
        try:
            parse_policy(values.session_policy, PolicyKind.SESSION)
        except MalformedPolicy as error:
            raise InvalidPolicy(f"The session policy is not valid: {error}") from None
    for arn in values.managed_policy_arns or ():
        try:
            parsed = Arn.parse(arn)
        except ValueError:
            raise InvalidArgument(f"{arn} is not an ARN.") from None
        if parsed.service != "iam" or not parsed.resource.startswith("policy/"):
            raise InvalidArgument(f"{arn} is not the ARN of a managed policy.")
