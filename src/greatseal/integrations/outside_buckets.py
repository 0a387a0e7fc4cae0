"""Buckets of an object store outside that speaks the API of S3: AWS itself, MinIO, Ceph, another Greatseal.

The credential of the settings writes there, so that what the service may do is decided by the store. Whoever may make
CAs may name any bucket that this credential can write.
"""

import logging
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.session import Session

from greatseal.domain.objects import ordering
from greatseal.domain.objects.conditions import Conditions
from greatseal.domain.objects.refusals import AclNotSupported, NoSuchBucket, PreconditionFailed
from greatseal.kernel.errors import AccessDenied, InvalidRequest, RequestFailed
from greatseal.kernel.secret import Secret

log = logging.getLogger(__name__)

# Reports of millions of rows are put together on the disk; lists and short reports stay in memory.
_IN_MEMORY = 8 << 20
_NO_ACLS = frozenset({"AccessControlListNotSupported", "InvalidBucketAclWithObjectOwnership"})
_CONFLICTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


@dataclass(frozen=True, slots=True)
class OutsideStore:
    """Where the store is and who we are there. `path_style`: the bucket is in the path, not in the host's name."""

    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: Secret
    path_style: bool = True
    timeout_seconds: float = 30.0


class OutsideBuckets:
    """The deliverer over an object store outside; threads may share it."""

    def __init__(self, store: OutsideStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._made: Any = None

    def check(
        self, bucket: str, key: str, *, service_principal: str, source_account: str, source_arn: str, acl: str | None
    ) -> None:
        """Writes an object, as the real service does to find out whether it may (acm-pca.md 2.1).

        Raises NoSuchBucket, AccessDenied, AclNotSupported, and RequestFailed when the store does not answer.
        """
        del service_principal, source_account, source_arn
        try:
            self._call("head_bucket", Bucket=bucket)
            # An audit report is not tried under its own name, or the report would seem to be there.
            name = key if key.endswith("-test-key") else "acm-pca-permission-test-key"
            self._call("put_object", Bucket=bucket, Key=name, Body=b"", **_acl(acl))
        except OSError as error:
            log.warning("the object store %s does not answer: %s", self._store.endpoint, error)
            raise RequestFailed("The object store does not answer. Try again later.") from error

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
        """Writes an object; with a `number`, one with a higher number stays, where the store can compare and swap.

        Raises as `check`, and OSError when the store does not answer.
        """
        del service_principal, source_account, source_arn
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
            for part in content:
                body.write(part)
            what: dict[str, Any] = {"Bucket": bucket, "Key": key, "ContentType": content_type, **_acl(acl)}
            if number is None:
                self._write(what, body)
                return
            what["Metadata"] = {ordering.HEADER.removeprefix("x-amz-meta-"): str(number)}
            look = partial(self._present, bucket, key)
            if not ordering.replace_older(number, look, lambda only: self._write_if(what, body, only)):
                log.warning("an object with a higher number stays", extra={"bucket": bucket, "key": key})

    def _present(self, bucket: str, key: str) -> ordering.Present | None:
        try:
            found = self._call("head_object", Bucket=bucket, Key=key)
        except NoSuchBucket:
            return None  # a HEAD says only 404: the writing tells what is missing
        headers = {f"x-amz-meta-{name.lower()}": value for name, value in found["Metadata"].items()}
        return found["ETag"].strip('"'), headers

    def _write_if(self, what: dict[str, Any], body: IO[bytes], only: Conditions) -> None:
        conditions = {"IfMatch": only.if_match, "IfNoneMatch": only.if_none_match}
        try:
            self._write({**what, **{name: value for name, value in conditions.items() if value}}, body)
        except _NoConditions:
            # An older store: between our look and our writing another node may be faster.
            self._write(what, body)

    def _write(self, what: dict[str, Any], body: IO[bytes]) -> None:
        body.seek(0)
        self._call("put_object", Body=body, **what)

    def _call(self, operation: str, **parameters: Any) -> Any:
        try:
            return getattr(self._client(), operation)(**parameters)
        except ClientError as error:
            raise _translated(error) from error
        except ParamValidationError as error:
            raise InvalidRequest(str(error)) from error  # the name of a bucket that no store has
        except BotoCoreError as error:
            raise OSError(str(error)) from error

    def _client(self) -> Any:
        with self._lock:  # making a client is not safe in threads, using one is
            if self._made is None:
                self._made = self._connect()
            return self._made

    def _connect(self) -> Any:
        store = self._store
        # Nothing of the environment or of configuration files: only the settings say where things go.
        session = Session(
            session_vars={"profile": (None, None, None, None), "config_file": (None, None, "/dev/null", None)}
        )
        style = "path" if store.path_style else "virtual"
        return session.create_client(
            "s3",
            region_name=store.region,
            endpoint_url=store.endpoint,
            aws_access_key_id=store.access_key_id,
            aws_secret_access_key=store.secret_access_key.reveal().decode(),
            config=Config(
                s3={"addressing_style": style},
                connect_timeout=store.timeout_seconds,
                read_timeout=store.timeout_seconds,
                retries={"max_attempts": 2, "mode": "standard"},
                # Checksums in trailers, the default of newer clients, are unknown to many other stores.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


class _NoConditions(InvalidRequest):
    """The store does not know something that was asked of it; of a conditional write, the condition."""


def _acl(acl: str | None) -> dict[str, str]:
    return {} if acl is None else {"ACL": acl}


def _translated(error: ClientError) -> Exception:
    """What a store's answer means to us: a refusal, or something that another attempt may mend."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    message = str(error.response.get("Error", {}).get("Message", "")) or code
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "NotImplemented" or status == 501:
        return _NoConditions(message)
    if code in _CONFLICTS or status == 412:
        return PreconditionFailed()
    if code in _NO_ACLS:
        return AclNotSupported()
    if status == 404:
        return NoSuchBucket()
    if status in (401, 403):
        return AccessDenied(message)
    if 400 <= status < 500 and status not in (408, 409, 429):
        return InvalidRequest(message)
    return OSError(message)
