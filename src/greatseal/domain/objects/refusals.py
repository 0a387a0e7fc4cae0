"""What the objects room refuses, beyond the words that all rooms share."""

from greatseal.kernel.errors import (
    AccessDenied,
    AlreadyExists,
    InvalidArgument,
    InvalidRequest,
    InvalidState,
    LimitExceeded,
    NotFound,
    Refusal,
    ResourceInUse,
)


class InvalidBucketName(InvalidArgument):
    """A bucket may not be called that."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The specified bucket is not valid: {name[:128]}")


class NoSuchBucket(NotFound):
    """There is no bucket of this name."""

    def __init__(self) -> None:
        super().__init__("The specified bucket does not exist")


class NoSuchKey(NotFound):
    """There is no object of this name, or its newest version is a delete marker."""

    def __init__(self) -> None:
        super().__init__("The specified key does not exist.")


class NoSuchVersion(NotFound):
    """The object has no such version."""

    def __init__(self) -> None:
        super().__init__("The specified version does not exist.")


class NoSuchBucketPolicy(NotFound):
    """The bucket has no policy."""

    def __init__(self) -> None:
        super().__init__("The bucket policy does not exist")


class NoPublicAccessBlock(NotFound):
    """The bucket's public access block was removed."""

    def __init__(self) -> None:
        super().__init__("The public access block configuration was not found")


class NoOwnershipControls(NotFound):
    """The bucket's ownership controls were removed."""

    def __init__(self) -> None:
        super().__init__("The bucket ownership controls were not found")


class NoTags(NotFound):
    """The bucket has no tags."""

    def __init__(self) -> None:
        super().__init__("The TagSet does not exist")


class BucketTaken(AlreadyExists):
    """The name belongs to somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again."
        )


class BucketYours(AlreadyExists):
    """The caller's own account has this bucket."""

    def __init__(self) -> None:
        super().__init__("Your previous request to create the named bucket succeeded and you already own it.")


class BucketNotEmpty(ResourceInUse):
    """Something is left in the bucket, perhaps only old versions and delete markers."""

    def __init__(self) -> None:
        super().__init__("The bucket you tried to delete is not empty. You must delete all versions in the bucket.")


class TooManyBuckets(LimitExceeded):
    """The account has as many buckets as it may have."""

    def __init__(self) -> None:
        super().__init__("You have attempted to create more buckets than allowed")


class KeyTooLong(InvalidArgument):
    """More than 1024 octets."""

    def __init__(self) -> None:
        super().__init__("Your key is too long")


class InvalidRange(InvalidArgument):
    """The object has no octet in the range."""

    def __init__(self) -> None:
        super().__init__("The requested range is not satisfiable")


class IsDeleteMarker(InvalidRequest):
    """A delete marker has no content."""

    def __init__(self) -> None:
        super().__init__("The specified method is not allowed against this resource.")


class AclNotSupported(InvalidState):
    """The bucket's owner owns every object in it, and access control lists are off."""

    def __init__(self) -> None:
        super().__init__("The bucket does not allow ACLs")


class PublicAccessBlocked(AccessDenied):
    """The bucket's public access block forbids what would make something public."""

    def __init__(self, setting: str) -> None:
        super().__init__(f"What is public is prevented by the {setting} setting in S3 Block Public Access")


class PreconditionFailed(Refusal):
    """A condition of the request does not hold."""

    def __init__(self) -> None:
        super().__init__("At least one of the pre-conditions you specified did not hold")


class NotModified(Refusal):
    """The caller has this version already. Not an error, but no content follows."""

    def __init__(self) -> None:
        super().__init__("Not Modified")
