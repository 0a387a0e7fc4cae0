"""Client tokens: the same request sent twice changes one thing once."""

import re
from datetime import datetime, timedelta
from hashlib import sha256

from greatseal.domain.sharing.model import InvalidClientToken
from greatseal.kernel.caller import Caller
from greatseal.kernel.errors import Conflict
from greatseal.storage import Tx, idempotency

WINDOW = timedelta(hours=8)
_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")


def claim(tx: Tx, caller: Caller, token: str | None, result: str, now: datetime) -> str | None:
    """What came of the earlier request with this token, or None when there was none and the caller goes on.

    Raises Conflict when the token was used for a request with other parameters, and InvalidClientToken.
    """
    if token is None:
        return None
    if not _TOKEN.fullmatch(token):
        raise InvalidClientToken("The client token is not valid.")
    earlier = idempotency.claim(
        tx,
        scope=f"{caller.account}/{caller.region}/{caller.operation}",
        token=token,
        fingerprint=sha256(caller.request_parameters.encode()).hexdigest(),
        result=result,
        now=now,
        ttl=WINDOW,
    )
    if earlier is None:
        return None
    if not earlier.same_request:
        raise Conflict("The client token was used for a request with other parameters.")
    return earlier.result
