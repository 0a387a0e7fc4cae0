"""Copies of lists in buckets, written as the service (acm-pca.md 2.1, 10.5)."""

from greatseal.domain.objects import Deliverer
from greatseal.domain.revocation.ports import Copied, TargetUnavailable
from greatseal.kernel.errors import Refusal, RequestFailed, ValidationFailed

SERVICE = "acm-pca.amazonaws.com"
# The object that the real service writes to find out; here its name is only asked about.
_TRIED = "acm-pca-permission-test-key"
_ACLS = {"PUBLIC_READ": "public-read", "BUCKET_OWNER_FULL_CONTROL": "bucket-owner-full-control"}


class BucketTarget:
    """A `CrlTarget` over the objects room, and the check of what CAs ask for."""

    def __init__(self, deliveries: Deliverer) -> None:
        self._deliveries = deliveries

    def check(self, account: str, authority_arn: str, bucket: str, acl: str) -> None:
        """Raises ValidationFailed unless the service may write lists of this CA into the bucket."""
        try:
            self._deliveries.check(
                bucket,
                _TRIED,
                service_principal=SERVICE,
                source_account=account,
                source_arn=authority_arn,
                acl=_ACLS[acl],
            )
        except RequestFailed:
            raise  # an object store outside does not answer, which no bucket policy mends
        except Refusal:
            raise ValidationFailed(
                f"Permission error with your S3 bucket '{bucket}'. Check that your bucket policy, encryption settings, "
                "S3 Block Public Access settings, and global account permissions are configured correctly. For more "
                "information, check the service documentation."
            ) from None

    def put(self, copied: Copied, key: str, body: bytes, *, content_type: str, number: int) -> None:
        """Replaces an object with a lower number or none. Raises TargetUnavailable."""
        try:
            self._deliveries.put_as_service(
                copied.bucket,
                key,
                (body,),
                service_principal=SERVICE,
                source_account=copied.account,
                source_arn=copied.authority_arn,
                acl=_ACLS[copied.acl],
                content_type=content_type,
                number=number,
            )
        except Refusal as refusal:
            raise TargetUnavailable(refusal.message, denied=True) from refusal
        except OSError as error:
            raise TargetUnavailable(str(error)) from error
