"""IAM: identity providers for OpenID Connect."""

from collections.abc import Mapping
from typing import Any

from greatseal.aws import iam_shapes as shapes
from greatseal.aws.door import OperationFunction
from greatseal.aws.iam_asking import Asking
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.domain.access.identities import IdentityProviders, Tagging, place_of, tagging
from greatseal.kernel.caller import Caller

Parameters = dict[str, Any]
Result = Mapping[str, Any] | None


class ProviderOperations:
    """Registers, changes, lists and deletes identity providers."""

    def __init__(self, ask: Asking, providers: IdentityProviders, tags: Tagging) -> None:
        self._ask = ask
        self._providers = providers
        self._tags = tags

    def create_open_id_connect_provider(self, caller: Caller, p: Parameters) -> Result:
        """The path of the URL is part of the ARN."""
        tags = tags_from_wire(p.get("Tags"))
        self._ask.creation(caller, f"oidc-provider/{place_of(p['Url'])}", "OpenIDConnectProvider", tags)
        arn = self._providers.create(
            caller,
            p["Url"],
            client_ids=p.get("ClientIDList", ()),
            thumbprints=p.get("ThumbprintList", ()),
            tags=tags,
        )
        return {"OpenIDConnectProviderArn": arn, "Tags": shapes.tags(tags)}

    def get_open_id_connect_provider(self, caller: Caller, p: Parameters) -> Result:
        """A provider; its URL is shown without `https://`."""
        found = self._providers.get(caller, self._asked(caller, p))
        return {
            "Url": found.provider.url,
            "ClientIDList": list(found.provider.client_ids),
            "ThumbprintList": list(found.provider.thumbprints),
            "CreateDate": found.provider.created_at,
            "Tags": shapes.tags(found.tags),
        }

    def list_open_id_connect_providers(self, caller: Caller, p: Parameters) -> Result:
        """All of them; there are no pages."""
        self._ask.resource(caller, self._ask.named(caller, "oidc-provider/*"))
        return {"OpenIDConnectProviderList": [{"Arn": arn} for arn in self._providers.listing(caller)]}

    def delete_open_id_connect_provider(self, caller: Caller, p: Parameters) -> Result:
        """No error when there is none."""
        self._providers.delete(caller, self._asked(caller, p))
        return None

    def update_open_id_connect_provider_thumbprint(self, caller: Caller, p: Parameters) -> Result:
        """Replaces the thumbprints."""
        self._providers.set_thumbprints(caller, self._asked(caller, p), p["ThumbprintList"])
        return None

    def add_client_id_to_open_id_connect_provider(self, caller: Caller, p: Parameters) -> Result:
        """One more audience that tokens may have."""
        self._providers.add_client_id(caller, self._asked(caller, p), p["ClientID"])
        return None

    def remove_client_id_from_open_id_connect_provider(self, caller: Caller, p: Parameters) -> Result:
        """One audience less."""
        self._providers.remove_client_id(caller, self._asked(caller, p), p["ClientID"])
        return None

    def tag_open_id_connect_provider(self, caller: Caller, p: Parameters) -> Result:
        """Sets tags."""
        tags, arn = tags_from_wire(p["Tags"]), p["OpenIDConnectProviderArn"]
        self._ask.tagged(caller, arn, tag_conditions(tags))
        self._tags.add(caller, arn, tags, tagging.provider)
        return None

    def untag_open_id_connect_provider(self, caller: Caller, p: Parameters) -> Result:
        """Removes tags."""
        arn = p["OpenIDConnectProviderArn"]
        self._ask.tagged(caller, arn, {"aws:TagKeys": tuple(p["TagKeys"])})
        self._tags.remove(caller, arn, p["TagKeys"], tagging.provider)
        return None

    def list_open_id_connect_provider_tags(self, caller: Caller, p: Parameters) -> Result:
        """The tags of a provider."""
        arn, limit = self._asked(caller, p), p.get("MaxItems", shapes.DEFAULT_PAGE)
        page = self._tags.listing(caller, arn, limit, p.get("Marker"), tagging.provider)
        return {"Tags": shapes.tags(page.items) or [], **shapes.paged(page)}

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateOpenIDConnectProvider": self.create_open_id_connect_provider,
            "GetOpenIDConnectProvider": self.get_open_id_connect_provider,
            "ListOpenIDConnectProviders": self.list_open_id_connect_providers,
            "DeleteOpenIDConnectProvider": self.delete_open_id_connect_provider,
            "UpdateOpenIDConnectProviderThumbprint": self.update_open_id_connect_provider_thumbprint,
            "AddClientIDToOpenIDConnectProvider": self.add_client_id_to_open_id_connect_provider,
            "RemoveClientIDFromOpenIDConnectProvider": self.remove_client_id_from_open_id_connect_provider,
            "TagOpenIDConnectProvider": self.tag_open_id_connect_provider,
            "UntagOpenIDConnectProvider": self.untag_open_id_connect_provider,
            "ListOpenIDConnectProviderTags": self.list_open_id_connect_provider_tags,
        }

    def _asked(self, caller: Caller, p: Parameters) -> str:
        arn: str = p["OpenIDConnectProviderArn"]
        self._ask.tagged(caller, arn)
        return arn
