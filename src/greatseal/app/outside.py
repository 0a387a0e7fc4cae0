"""The object store outside, if the settings name one."""

from greatseal.domain.objects import Deliverer
from greatseal.kernel.secret import Secret
from greatseal.settings.tree import ObjectsSettings


def outside_buckets(settings: ObjectsSettings) -> Deliverer | None:
    """Where services deliver to; None for the buckets of this installation. Raises OSError for an unreadable secret."""
    if settings.s3_endpoint is None or settings.access_key_id is None:
        return None
    # Botocore is a tenth of what the service would import.
    from greatseal.integrations.outside_buckets import OutsideBuckets, OutsideStore

    if settings.secret_access_key_file is not None:
        secret = settings.secret_access_key_file.read_bytes().strip()
    else:
        secret = (settings.secret_access_key or "").encode()
    return OutsideBuckets(
        OutsideStore(
            endpoint=settings.s3_endpoint,
            region=settings.region,
            access_key_id=settings.access_key_id,
            secret_access_key=Secret(secret),
            path_style=settings.path_style,
            timeout_seconds=settings.timeout_seconds,
        )
    )
