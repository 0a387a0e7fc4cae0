"""Those who reach into a bucket without an account: services that deliver to it, and the public."""

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from greatseal.domain.access import Access, Question
from greatseal.domain.access.language import Principal
from greatseal.domain.access.standing import Standing, of_service
from greatseal.domain.objects import ordering
from greatseal.domain.objects.buckets import Buckets
from greatseal.domain.objects.contents import NewObject, Objects
from greatseal.domain.objects.model import Bucket, Version, check_acl, is_public_by_acl
from greatseal.domain.objects.refusals import NoSuchKey
from greatseal.kernel.caller import Caller
from greatseal.kernel.clock import Clock
from greatseal.kernel.entropy import Entropy
from greatseal.kernel.errors import AccessDenied
from greatseal.kernel.ids import new_uuid

log = logging.getLogger(__name__)

_ANYBODY = Standing(Principal.anonymous(), {"aws:PrincipalType": "Anonymous"})
_ON_BUCKET = ("s3:GetBucketAcl", "s3:GetBucketLocation")
_ON_OBJECT = ("s3:PutObject", "s3:PutObjectAcl")


class Deliveries:
    """Writes into buckets for services, as far as the bucket's policy lets them (acm-pca.md 10.5)."""

    def __init__(self, *, access: Access, buckets: Buckets, objects: Objects, clock: Clock, entropy: Entropy) -> None:
        self._access = access
        self._buckets = buckets
        self._objects = objects
        self._clock = clock
        self._entropy = entropy

    def check(
        self, bucket: str, key: str, *, service_principal: str, source_account: str, source_arn: str, acl: str | None
    ) -> Bucket:
        """The bucket, if the service may write this. Raises NoSuchBucket, AccessDenied and as `check_acl`."""
        found = self._buckets.find(bucket)
        check_acl(found, acl)
        caller = self._caller(found, service_principal)
        standing = of_service(service_principal)
        context = {"aws:SourceAccount": source_account, "aws:SourceArn": source_arn}
        for action in (*_ON_BUCKET, *_ON_OBJECT):
            arn = found.arn if action in _ON_BUCKET else found.object_arn(key)
            question = Question(action, arn, context, owner=found.account)
            if not self._access.verdict_for(standing, caller, question).allowed:
                raise AccessDenied(
                    f"Service: {service_principal} is not authorized to perform: {action} on resource: {arn} "
                    f"because no resource-based policy allows the {action} action"
                )
        return found

    def put_as_service(
        self,
        bucket: str,
        key: str,
        content: Iterable[bytes],
        *,
        service_principal: str,
        source_account: str,
        source_arn: str,
        acl: str | None,
        content_type: str,
        number: int | None = None,
    ) -> None:
        """Writes an object for a service; with a `number`, one with a higher number stays.

        Raises as `check` and `Objects.put`.
        """
        found = self.check(
            bucket,
            key,
            service_principal=service_principal,
            source_account=source_account,
            source_arn=source_arn,
            acl=acl,
        )
        caller = self._caller(found, service_principal)
        new = NewObject(headers={"content-type": content_type}, acl=acl)
        if number is None:
            self._objects.put(caller, bucket, key, content, new)
            return
        numbered = replace(new, headers={**new.headers, ordering.HEADER: str(number)})
        parts = tuple(content)
        written = ordering.replace_older(
            number,
            lambda: self._present(bucket, key),
            lambda only: self._objects.put(caller, bucket, key, parts, replace(numbered, conditions=only)),
        )
        if not written:
            log.warning("an object with a higher number stays", extra={"bucket": bucket, "key": key})

    def _present(self, bucket: str, key: str) -> ordering.Present | None:
        try:
            found = self._objects.find(bucket, key)
        except NoSuchKey:
            return None
        return found.etag, found.headers

    def _caller(self, bucket: Bucket, service_principal: str) -> Caller:
        """The service, as the trail of the bucket's account knows it."""
        return Caller(
            account=bucket.account,
            region=bucket.region,
            principal_arn="",
            access_key_id="",
            request_id=new_uuid(self._entropy),
            operation="s3:PutObject",
            at=self._clock.now(),
            source_ip=service_principal,
            user_agent=service_principal,
            service_principal=service_principal,
        )


class PublicReading:
    """Tells what everybody may read: what a bucket's policy or an object's access control list makes public."""

    def __init__(self, *, access: Access, buckets: Buckets, objects: Objects) -> None:
        self._access = access
        self._buckets = buckets
        self._objects = objects

    def find(self, bucket: str, key: str, *, source_ip: str, secure: bool, at: datetime) -> Version:
        """The current object. Raises AccessDenied for everything else, also for what does not exist."""
        found = self._buckets.find(bucket)
        caller = Caller(
            account="",
            region=found.region,
            principal_arn="",
            access_key_id="",
            request_id="",
            operation="s3:GetObject",
            at=at,
            source_ip=source_ip,
            secure=secure,
        )
        if self._allowed(found, caller, "s3:GetObject", found.object_arn(key)):
            return self._objects.find(bucket, key)
        version = self._objects.find(bucket, key) if found.has_acls else None
        if version is None or not is_public_by_acl(found, version.acl):
            raise AccessDenied("Access Denied")
        return version

    def _allowed(self, bucket: Bucket, caller: Caller, action: str, arn: str) -> bool:
        verdict = self._access.verdict_for(_ANYBODY, caller, Question(action, arn, owner=bucket.account))
        restricted = bucket.access.restrict_buckets and self._buckets.has_public_policy(bucket)
        return verdict.allowed and not restricted
