"""IAM Roles Anywhere, the control plane: one function an operation (iam.md 11.1).

The data plane, CreateSession, is signed with certificates and has a door of its own: `create_session`.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Generic

from greatseal.aws import rolesanywhere_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.domain.access import Access, Question
from greatseal.domain.anywhere import Anywhere
from greatseal.domain.anywhere.model import PRINCIPAL, NotificationEvent, R
from greatseal.domain.anywhere.shelf import Shelf
from greatseal.domain.tags import Tag
from greatseal.kernel.caller import Caller

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class _Noun(Generic[R]):
    """The operations that trust anchors, profiles and CRLs have in common."""

    def __init__(
        self, access: Access, shelf: Shelf[R], wire: Callable[[R], Mapping[str, Any]], members: tuple[str, str, str]
    ) -> None:
        """`members` are those of the identifier, of one resource, and of a list of them."""
        self._access = access
        self._shelf = shelf
        self._wire = wire
        self._id, self._one, self._many = members

    def authorize(self, caller: Caller, p: Parameters) -> str:
        """The ARN of the resource that the operation is about, once the caller may do it."""
        arn = self._shelf.locate(caller, p[self._id])
        self._access.authorize(caller, Question(caller.operation, arn))
        return arn

    def get(self, caller: Caller, p: Parameters) -> Result:
        """GetTrustAnchor, GetProfile, GetCrl"""
        return {self._one: self._wire(self._shelf.get(caller, self.authorize(caller, p)))}

    def list(self, caller: Caller, p: Parameters) -> Result:
        """ListTrustAnchors, ListProfiles, ListCrls"""
        self._access.authorize(caller, Question(caller.operation, "*"))
        page = self._shelf.list(caller, limit=p.get("pageSize"), token=p.get("nextToken"))
        return {self._many: [self._wire(item) for item in page.items], "nextToken": page.next_token}

    def set_enabled(self, enabled: bool, caller: Caller, p: Parameters) -> Result:
        """EnableTrustAnchor, DisableTrustAnchor and so on"""
        return {self._one: self._wire(self._shelf.set_enabled(caller, self.authorize(caller, p), enabled))}

    def delete(self, caller: Caller, p: Parameters) -> Result:
        """DeleteTrustAnchor, DeleteProfile, DeleteCrl"""
        return {self._one: self._wire(self._shelf.delete(caller, self.authorize(caller, p)))}


class RolesAnywhere:
    """The operations of IAM Roles Anywhere. Each names action, resource and condition keys before it acts."""

    def __init__(self, *, access: Access, anywhere: Anywhere) -> None:
        self._access = access
        self._room = anywhere
        self._anchors = _Noun(
            access, anywhere.anchors.shelf, shapes.anchor_wire, ("trustAnchorId", "trustAnchor", "trustAnchors")
        )
        self._profiles = _Noun(
            access, anywhere.profiles.shelf, shapes.profile_wire, ("profileId", "profile", "profiles")
        )
        self._crls = _Noun(access, anywhere.crls.shelf, shapes.crl_wire, ("crlId", "crl", "crls"))

    def create_trust_anchor(self, caller: Caller, p: Parameters) -> Result:
        """CreateTrustAnchor"""
        tags = self._authorize_new(caller, p)
        shapes.refuse_distribution_points(p)
        anchor = self._room.anchors.create(
            caller,
            name=p["name"],
            source=shapes.source(p["source"]),
            enabled=p.get("enabled", False),
            settings=shapes.settings(p.get("notificationSettings"), caller.account),
            alias=p.get("aliasName"),
            tags=tags,
        )
        return {"trustAnchor": shapes.anchor_wire(anchor)}

    def update_trust_anchor(self, caller: Caller, p: Parameters) -> Result:
        """UpdateTrustAnchor"""
        arn = self._anchors.authorize(caller, p)
        shapes.refuse_distribution_points(p)
        source = shapes.source(p["source"]) if "source" in p else None
        changed = self._room.anchors.update(caller, arn, name=p.get("name"), source=source, alias=p.get("aliasName"))
        return {"trustAnchor": shapes.anchor_wire(*changed)}

    def put_notification_settings(self, caller: Caller, p: Parameters) -> Result:
        """PutNotificationSettings"""
        arn = self._anchors.authorize(caller, p)
        settings = shapes.settings(p["notificationSettings"], caller.account)
        return {"trustAnchor": shapes.anchor_wire(self._room.anchors.put_settings(caller, arn, settings))}

    def reset_notification_settings(self, caller: Caller, p: Parameters) -> Result:
        """ResetNotificationSettings"""
        arn = self._anchors.authorize(caller, p)
        events = [NotificationEvent(key["event"]) for key in p["notificationSettingKeys"]]
        return {"trustAnchor": shapes.anchor_wire(self._room.anchors.reset_settings(caller, arn, events))}

    def create_profile(self, caller: Caller, p: Parameters) -> Result:
        """CreateProfile; whoever makes a profile passes its roles to the service."""
        tags = self._authorize_new(caller, p)
        self._authorize_roles(caller, p)
        profile = self._room.profiles.create(
            caller,
            shapes.profile_values(p),
            enabled=p.get("enabled", False),
            requires_instance_properties=p.get("requireInstanceProperties", False),
            alias=p.get("aliasName"),
            tags=tags,
        )
        return {"profile": shapes.profile_wire(profile)}

    def update_profile(self, caller: Caller, p: Parameters) -> Result:
        """UpdateProfile"""
        arn = self._profiles.authorize(caller, p)
        self._authorize_roles(caller, p)
        changed = self._room.profiles.update(caller, arn, shapes.profile_values(p), alias=p.get("aliasName"))
        return {"profile": shapes.profile_wire(*changed)}

    def put_attribute_mapping(self, caller: Caller, p: Parameters) -> Result:
        """PutAttributeMapping"""
        arn = self._profiles.authorize(caller, p)
        specifiers = [rule["specifier"] for rule in p["mappingRules"]]
        profile = self._room.profiles.put_mapping(caller, arn, shapes.field(p["certificateField"]), specifiers)
        return {"profile": shapes.profile_wire(profile)}

    def delete_attribute_mapping(self, caller: Caller, p: Parameters) -> Result:
        """DeleteAttributeMapping"""
        arn = self._profiles.authorize(caller, p)
        field = shapes.field(p["certificateField"])
        profile = self._room.profiles.delete_mapping(caller, arn, field, p.get("specifiers") or None)
        return {"profile": shapes.profile_wire(profile)}

    def import_crl(self, caller: Caller, p: Parameters) -> Result:
        """ImportCrl"""
        tags = self._authorize_new(caller, p)
        crl = self._room.crls.create(
            caller,
            name=p["name"],
            data=p["crlData"],
            anchor_arn=p["trustAnchorArn"],
            enabled=p.get("enabled", False),
            alias=p.get("aliasName"),
            tags=tags,
        )
        return {"crl": shapes.crl_wire(crl)}

    def update_crl(self, caller: Caller, p: Parameters) -> Result:
        """UpdateCrl"""
        arn = self._crls.authorize(caller, p)
        changed = self._room.crls.update(
            caller, arn, name=p.get("name"), data=p.get("crlData"), alias=p.get("aliasName")
        )
        return {"crl": shapes.crl_wire(*changed)}

    def get_subject(self, caller: Caller, p: Parameters) -> Result:
        """GetSubject"""
        arn = str(caller.arn("rolesanywhere", f"subject/{p['subjectId']}"))
        self._access.authorize(caller, Question(caller.operation, arn))
        return {"subject": shapes.subject_wire(self._room.subjects.get(caller, arn))}

    def list_subjects(self, caller: Caller, p: Parameters) -> Result:
        """ListSubjects"""
        self._access.authorize(caller, Question(caller.operation, "*"))
        page = self._room.subjects.list(caller, limit=p.get("pageSize"), token=p.get("nextToken"))
        return {"subjects": [shapes.subject_summary(item) for item in page.items], "nextToken": page.next_token}

    def tag_resource(self, caller: Caller, p: Parameters) -> Result:
        """TagResource"""
        tags = shapes.tags(p["tags"])
        self._access.authorize(caller, Question(caller.operation, p["resourceArn"], tag_conditions(tags)))
        self._room.tag(caller, p["resourceArn"], tags)
        return {}

    def untag_resource(self, caller: Caller, p: Parameters) -> Result:
        """UntagResource"""
        keys = tuple(p["tagKeys"])
        self._access.authorize(caller, Question(caller.operation, p["resourceArn"], {"aws:TagKeys": keys}))
        self._room.untag(caller, p["resourceArn"], keys)
        return {}

    def list_tags_for_resource(self, caller: Caller, p: Parameters) -> Result:
        """ListTagsForResource"""
        self._access.authorize(caller, Question(caller.operation, p["resourceArn"]))
        return {"tags": shapes.tags_wire(self._room.tags_of(caller, p["resourceArn"]))}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        made: dict[str, OperationFunction] = {
            "CreateTrustAnchor": self.create_trust_anchor,
            "UpdateTrustAnchor": self.update_trust_anchor,
            "PutNotificationSettings": self.put_notification_settings,
            "ResetNotificationSettings": self.reset_notification_settings,
            "CreateProfile": self.create_profile,
            "UpdateProfile": self.update_profile,
            "PutAttributeMapping": self.put_attribute_mapping,
            "DeleteAttributeMapping": self.delete_attribute_mapping,
            "ImportCrl": self.import_crl,
            "UpdateCrl": self.update_crl,
            "GetSubject": self.get_subject,
            "ListSubjects": self.list_subjects,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }
        for name, noun in (("TrustAnchor", self._anchors), ("Profile", self._profiles), ("Crl", self._crls)):
            made |= {
                f"Get{name}": noun.get,
                f"List{name}s": noun.list,
                f"Enable{name}": partial(noun.set_enabled, True),
                f"Disable{name}": partial(noun.set_enabled, False),
                f"Delete{name}": noun.delete,
            }
        return made

    def _authorize_new(self, caller: Caller, p: Parameters) -> tuple[Tag, ...]:
        """The tags of something new, once the caller may make it and tag it so."""
        tags = shapes.tags(p.get("tags"))
        context = tag_conditions(tags)
        questions = [Question(caller.operation, "*", context)]
        if tags:
            questions.append(Question("rolesanywhere:TagResource", "*", context))
        self._access.authorize(caller, *questions)
        return tags

    def _authorize_roles(self, caller: Caller, p: Parameters) -> None:
        context = {"iam:PassedToService": PRINCIPAL}
        self._access.authorize(caller, *(Question("iam:PassRole", arn, context) for arn in p.get("roleArns", ())))
