"""Tokens of OpenID Connect providers: whose they are, and whether they are good (iam.md 9).

A token proves something only with its issuer: the provider that the role's account registered, under exactly the URL
in `iss`, for one of the audiences registered there, signed with a key that the provider publishes now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jwt

from greatseal.domain.access.ports import IssuerKeys
from greatseal.domain.access.store import web_identity as store
from greatseal.kernel.clock import Clock
from greatseal.kernel.errors import InvalidToken, TokenExpired
from greatseal.storage import Storage

# Those of a provider's `id_token_signing_alg_values_supported` that AWS takes; never `none`, never a shared secret.
_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_LONGEST_TOKEN = 20_000
_SKEW_SECONDS = 300


@dataclass(frozen=True, slots=True)
class WebIdentity:
    """What a good token says."""

    provider_arn: str
    subject: str
    audience: str
    keys: tuple[tuple[str, str | tuple[str, ...]], ...]
    """Condition keys: `<issuer without https://>:sub`, `:aud` and so on."""


class WebIdentities:
    """Verifies tokens against the providers that an account registered."""

    def __init__(self, *, storage: Storage, keys: IssuerKeys, clock: Clock) -> None:
        self._storage = storage
        self._keys = keys
        self._clock = clock

    def verify(self, account: str, partition: str, token: str) -> WebIdentity:
        """Who bears this token. Raises InvalidToken, TokenExpired and RequestFailed (the provider is silent)."""
        header, claims = _unverified(token)
        issuer = _text(claims, "iss")
        provider = self._storage.read(lambda tx: store.provider(tx, account, issuer))
        if provider is None:
            raise InvalidToken(f"No OpenIDConnect provider found in your account for {issuer}")
        claims = self._verified(token, issuer, header)
        self._check_times(claims)
        audience = _audience(claims, provider.client_ids)
        subject = _text(claims, "sub")
        host = provider.place
        arn = f"arn:{partition}:iam::{account}:oidc-provider/{host}"
        keys: list[tuple[str, str | tuple[str, ...]]] = [(f"{host}:sub", subject), (f"{host}:aud", audience)]
        keys += [(f"{host}:{name}", claims[name]) for name in ("email", "amr") if isinstance(claims.get(name), str)]
        return WebIdentity(arn, subject, audience, tuple(keys))

    def _verified(self, token: str, issuer: str, header: Mapping[str, Any]) -> dict[str, Any]:
        key = _key_for(self._keys.of(issuer), header)
        if key is None:
            # The provider may have changed its keys since they were fetched.
            key = _key_for(self._keys.of(issuer, fresh=True), header)
        if key is None:
            raise InvalidToken(
                "Couldn't retrieve verification key from your identity provider,  please reference "
                "AssumeRoleWithWebIdentity documentation for requirements"
            )
        # Times are compared with our own clock below; the rest we do with AWS's words.
        options: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
        try:
            claims: dict[str, Any] = jwt.decode(token, key, algorithms=[header["alg"]], options=options)
        except (jwt.PyJWTError, ValueError, TypeError):
            raise InvalidToken("The signature of the token cannot be verified with the key of its issuer") from None
        return claims

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = int(self._clock.now().timestamp())
        for name in ("exp", "iat"):
            if not _is_number(claims.get(name)):
                raise InvalidToken(f"Missing a required claim: {name}")
        if now >= claims["exp"]:
            ends = datetime.fromtimestamp(min(claims["exp"], 253402300799), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            raise TokenExpired(f"Token expired: current date/time {at} must be before the expiration date/time {ends}")
        starts = [claims[name] for name in ("nbf", "iat") if _is_number(claims.get(name))]
        if any(start > now + _SKEW_SECONDS for start in starts):
            raise InvalidToken("The token is not valid yet")


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims as the bearer says; enough to know whom to ask for a key, and for nothing else."""
    malformed = InvalidToken(
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
    )
    if len(token) > _LONGEST_TOKEN:
        raise malformed
    try:
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise malformed from None
    if header.get("alg") not in _ALGORITHMS or not isinstance(claims, dict):
        raise malformed
    return header, claims


def _key_for(keys: Mapping[str, Any], header: Mapping[str, Any]) -> jwt.PyJWK | None:
    """The one key of the set that fits the token's `kid`; without a `kid` the set must have one key only."""
    found = [each for each in keys.get("keys", []) if isinstance(each, dict) and each.get("use", "sig") == "sig"]
    if header.get("kid") is not None:
        found = [each for each in found if each.get("kid") == header["kid"]]
    if len(found) != 1:
        return None
    try:
        return jwt.PyJWK(found[0], algorithm=header["alg"])
    except (jwt.PyJWTError, ValueError, TypeError):
        return None


def _audience(claims: Mapping[str, Any], client_ids: tuple[str, ...]) -> str:
    """The registered audience; `azp` counts before `aud`, as at AWS."""
    found = claims.get("azp", claims.get("aud"))
    for each in found if isinstance(found, list) else [found]:
        if isinstance(each, str) and each in client_ids:
            return each
    raise InvalidToken("Incorrect token audience")


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidToken(f"Missing a required claim: {name}")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
