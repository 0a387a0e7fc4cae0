"""S3: the operations on buckets and their settings (Amazon S3 API reference)."""

from greatseal.aws.door import OperationFunction
from greatseal.aws.s3_asking import Asking, Parameters, Result
from greatseal.aws.tags import conditions as tag_conditions
from greatseal.aws.tags import from_wire as tags_from_wire
from greatseal.aws.tags import to_wire as tags_to_wire
from greatseal.aws.wire import WireError
from greatseal.domain.objects import Buckets
from greatseal.domain.objects.model import PRIVATE, Bucket, Ownership, PublicAccess, Versioning
from greatseal.domain.objects.refusals import AclNotSupported, NoOwnershipControls, NoPublicAccessBlock
from greatseal.kernel.caller import Caller

# The region whose name S3 leaves out.
_UNNAMED_REGION = "us-east-1"


def owner_wire(account: str) -> dict[str, str]:
    """An account where S3 names owners: its canonical user id, which is the account id with us."""
    return {"ID": account}


class BucketOperations:
    """One function an operation. Each names action, resource and condition keys before it acts."""

    def __init__(self, *, asking: Asking, buckets: Buckets) -> None:
        self._asking = asking
        self._buckets = buckets

    def create_bucket(self, caller: Caller, p: Parameters) -> Result:
        """CreateBucket"""
        configuration = p.get("CreateBucketConfiguration", {})
        tags = tags_from_wire(configuration.get("Tags"))
        context = {**tag_conditions(tags), "s3:x-amz-acl": p.get("ACL", PRIVATE)}
        self._asking.new_bucket(caller, p["Bucket"], "s3:CreateBucket", context)
        region = configuration.get("LocationConstraint", caller.region)
        if region not in (caller.region, {"EU": "eu-west-1"}.get(region)):
            text = "The specified location-constraint is not valid: sign the request for the region of the bucket"
            raise WireError("InvalidLocationConstraint", text)
        if p.get("ACL", PRIVATE) != PRIVATE:
            # A bucket that everybody may list or write: never by a header; a policy says it in full.
            raise AclNotSupported
        if p.get("ObjectLockEnabledForBucket"):
            raise WireError("NotImplemented", "Object Lock is not supported.")
        ownership = Ownership(p.get("ObjectOwnership", Ownership.ENFORCED.value))
        made = self._buckets.create(caller, p["Bucket"], ownership=ownership, tags=tags)
        return {"Location": f"/{made.name}", "BucketArn": made.arn}

    def delete_bucket(self, caller: Caller, p: Parameters) -> Result:
        """DeleteBucket"""
        self._asking.bucket(caller, p, "s3:DeleteBucket")
        self._buckets.delete(caller, p["Bucket"])
        return None

    def head_bucket(self, caller: Caller, p: Parameters) -> Result:
        """HeadBucket"""
        found = self._asking.bucket(caller, p, "s3:ListBucket")
        return {"BucketRegion": found.region, "BucketArn": found.arn, "AccessPointAlias": False}

    def list_buckets(self, caller: Caller, p: Parameters) -> Result:
        """ListBuckets"""
        self._asking.account(caller, "s3:ListAllMyBuckets")
        prefix = p.get("Prefix", "")
        page = self._buckets.list(
            caller,
            prefix=prefix,
            region=p.get("BucketRegion"),
            limit=p.get("MaxBuckets"),
            token=p.get("ContinuationToken"),
        )
        return {
            "Buckets": [
                {"Name": item.name, "CreationDate": item.created_at, "BucketRegion": item.region, "BucketArn": item.arn}
                for item in page.items
            ],
            "Owner": owner_wire(caller.account),
            "Prefix": prefix or None,
            "ContinuationToken": page.next_token,
        }

    def get_bucket_location(self, caller: Caller, p: Parameters) -> Result:
        """GetBucketLocation"""
        found = self._asking.bucket(caller, p, "s3:GetBucketLocation")
        return {"LocationConstraint": None if found.region == _UNNAMED_REGION else found.region}

    def put_bucket_versioning(self, caller: Caller, p: Parameters) -> Result:
        """PutBucketVersioning"""
        self._asking.bucket(caller, p, "s3:PutBucketVersioning")
        configuration = p["VersioningConfiguration"]
        if configuration.get("MFADelete") == "Enabled":
            raise WireError("NotImplemented", "MFA Delete is not supported.")
        if "Status" not in configuration:
            raise WireError("IllegalVersioningConfigurationException", "The Versioning element must be specified")
        self._buckets.set_versioning(caller, p["Bucket"], Versioning(configuration["Status"]))
        return None

    def get_bucket_versioning(self, caller: Caller, p: Parameters) -> Result:
        """GetBucketVersioning"""
        found = self._asking.bucket(caller, p, "s3:GetBucketVersioning")
        return {"Status": found.versioning.value or None}

    def put_bucket_policy(self, caller: Caller, p: Parameters) -> Result:
        """PutBucketPolicy"""
        self._asking.policy_of(caller, p, "s3:PutBucketPolicy")
        self._buckets.put_policy(caller, p["Bucket"], p["Policy"])
        return None

    def get_bucket_policy(self, caller: Caller, p: Parameters) -> Result:
        """GetBucketPolicy"""
        self._asking.policy_of(caller, p, "s3:GetBucketPolicy")
        return {"Policy": self._buckets.policy(p["Bucket"])}

    def get_bucket_policy_status(self, caller: Caller, p: Parameters) -> Result:
        """GetBucketPolicyStatus"""
        found = self._asking.bucket(caller, p, "s3:GetBucketPolicyStatus")
        self._buckets.policy(found.name)
        return {"PolicyStatus": {"IsPublic": self._buckets.has_public_policy(found)}}

    def delete_bucket_policy(self, caller: Caller, p: Parameters) -> Result:
        """DeleteBucketPolicy"""
        self._asking.policy_of(caller, p, "s3:DeleteBucketPolicy")
        self._buckets.delete_policy(caller, p["Bucket"])
        return None

    def put_public_access_block(self, caller: Caller, p: Parameters) -> Result:
        """PutPublicAccessBlock"""
        self._asking.bucket(caller, p, "s3:PutBucketPublicAccessBlock")
        given = p["PublicAccessBlockConfiguration"]
        block = PublicAccess(*(given.get(name, False) for name in _PUBLIC_ACCESS))
        self._buckets.set_public_access(caller, p["Bucket"], block)
        return None

    def get_public_access_block(self, caller: Caller, p: Parameters) -> Result:
        """GetPublicAccessBlock"""
        found = self._asking.bucket(caller, p, "s3:GetBucketPublicAccessBlock")
        if found.public_access is None:
            raise NoPublicAccessBlock
        return {"PublicAccessBlockConfiguration": dict(zip(_PUBLIC_ACCESS, found.public_access, strict=True))}

    def delete_public_access_block(self, caller: Caller, p: Parameters) -> Result:
        """DeletePublicAccessBlock"""
        self._asking.bucket(caller, p, "s3:PutBucketPublicAccessBlock")
        self._buckets.set_public_access(caller, p["Bucket"], None)
        return None

    def put_bucket_ownership_controls(self, caller: Caller, p: Parameters) -> Result:
        """PutBucketOwnershipControls"""
        self._asking.bucket(caller, p, "s3:PutBucketOwnershipControls")
        rules = p["OwnershipControls"]["Rules"]
        if len(rules) != 1:
            raise WireError("MalformedXML", "OwnershipControls must have exactly one Rule.")
        self._buckets.set_ownership(caller, p["Bucket"], Ownership(rules[0]["ObjectOwnership"]))
        return None

    def get_bucket_ownership_controls(self, caller: Caller, p: Parameters) -> Result:
        """GetBucketOwnershipControls"""
        found = self._asking.bucket(caller, p, "s3:GetBucketOwnershipControls")
        if found.ownership is None:
            raise NoOwnershipControls
        return {"OwnershipControls": {"Rules": [{"ObjectOwnership": found.ownership.value}]}}

    def delete_bucket_ownership_controls(self, caller: Caller, p: Parameters) -> Result:
        """DeleteBucketOwnershipControls"""
        self._asking.bucket(caller, p, "s3:PutBucketOwnershipControls")
        self._buckets.set_ownership(caller, p["Bucket"], None)
        return None

    def get_bucket_acl(self, caller: Caller, p: Parameters) -> Result:
        """GetBucketAcl"""
        return acl_wire(self._asking.bucket(caller, p, "s3:GetBucketAcl"))

    def put_bucket_acl(self, caller: Caller, p: Parameters) -> Result:
        """PutBucketAcl: `private` only, which every bucket is"""
        found = self._asking.bucket(caller, p, "s3:PutBucketAcl", {"s3:x-amz-acl": p.get("ACL", "")})
        if not found.has_acls or p.get("ACL") != PRIVATE:
            raise AclNotSupported
        return None

    def put_bucket_tagging(self, caller: Caller, p: Parameters) -> Result:
        """PutBucketTagging"""
        tags = tags_from_wire(p["Tagging"]["TagSet"])
        self._asking.bucket(caller, p, "s3:PutBucketTagging", tag_conditions(tags))
        self._buckets.set_tags(caller, p["Bucket"], tags)
        return None

    def get_bucket_tagging(self, caller: Caller, p: Parameters) -> Result:
        """GetBucketTagging"""
        self._asking.bucket(caller, p, "s3:GetBucketTagging")
        return {"TagSet": tags_to_wire(self._buckets.tags(p["Bucket"]))}

    def delete_bucket_tagging(self, caller: Caller, p: Parameters) -> Result:
        """DeleteBucketTagging"""
        self._asking.bucket(caller, p, "s3:PutBucketTagging")
        self._buckets.set_tags(caller, p["Bucket"], ())
        return None

    def operations(self) -> dict[str, OperationFunction]:
        """Operation functions by operation name."""
        return {
            "CreateBucket": self.create_bucket,
            "DeleteBucket": self.delete_bucket,
            "HeadBucket": self.head_bucket,
            "ListBuckets": self.list_buckets,
            "GetBucketLocation": self.get_bucket_location,
            "PutBucketVersioning": self.put_bucket_versioning,
            "GetBucketVersioning": self.get_bucket_versioning,
            "PutBucketPolicy": self.put_bucket_policy,
            "GetBucketPolicy": self.get_bucket_policy,
            "GetBucketPolicyStatus": self.get_bucket_policy_status,
            "DeleteBucketPolicy": self.delete_bucket_policy,
            "PutPublicAccessBlock": self.put_public_access_block,
            "GetPublicAccessBlock": self.get_public_access_block,
            "DeletePublicAccessBlock": self.delete_public_access_block,
            "PutBucketOwnershipControls": self.put_bucket_ownership_controls,
            "GetBucketOwnershipControls": self.get_bucket_ownership_controls,
            "DeleteBucketOwnershipControls": self.delete_bucket_ownership_controls,
            "GetBucketAcl": self.get_bucket_acl,
            "PutBucketAcl": self.put_bucket_acl,
            "PutBucketTagging": self.put_bucket_tagging,
            "GetBucketTagging": self.get_bucket_tagging,
            "DeleteBucketTagging": self.delete_bucket_tagging,
        }


# In the order of the members of `PublicAccess`.
_PUBLIC_ACCESS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def acl_wire(bucket: Bucket) -> dict[str, object]:
    """The access control list of a bucket: its owner has all of it."""
    owner = owner_wire(bucket.account)
    return {
        "Owner": owner,
        "Grants": [{"Grantee": {"Type": "CanonicalUser", **owner}, "Permission": "FULL_CONTROL"}],
    }
