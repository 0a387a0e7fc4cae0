"""The addresses by which endpoints answer: to confirm, to end, and to check a signature."""

from collections.abc import Callable
from urllib.parse import urlencode

from greatseal.domain.notifications.refusals import NoSuchSubscription
from greatseal.kernel.errors import InvalidToken
from greatseal.kernel.pages import PageTokens

PREFIX = "/sns"
_SCOPE = ("sns", "unsubscribe")


class Links:
    """Makes links below an address of this installation. What is secret stands in the query, which nobody logs."""

    def __init__(self, *, tokens: PageTokens, base: Callable[[], str], secure: Callable[[], str]) -> None:
        """`base` is where the plain listener is reached, `secure` the HTTPS listener."""
        self._tokens = tokens
        self._base = base
        self._secure = secure

    def confirm_page(self, token: str) -> str:
        """Where people confirm."""
        return f"{self._base()}{PREFIX}/confirm?{urlencode({'token': token})}"

    def subscribe_url(self, topic_arn: str, token: str) -> str:
        """What programs fetch to confirm."""
        query = {"Action": "ConfirmSubscription", "TopicArn": topic_arn, "Token": token}
        return f"{self._base()}{PREFIX}/?{urlencode(query)}"

    def unsubscribe(self, subscription_arn: str) -> str:
        """Where a subscription is ended, without any other proof than the link."""
        return f"{self._base()}{self._unsubscribe(subscription_arn)}"

    def one_click(self, subscription_arn: str) -> str:
        """The same for mail programs, which want https (RFC 8058)."""
        base = self._base()
        return f"{base if base.startswith('https://') else self._secure()}{self._unsubscribe(subscription_arn)}"

    def certificate(self, fingerprint: str) -> str:
        """Where the certificate of the signatures is."""
        return f"{self._base()}{PREFIX}/SimpleNotificationService-{fingerprint}.pem"

    def subscription_in(self, token: str) -> str:
        """The ARN in the token of an unsubscribe link. Raises NoSuchSubscription."""
        try:
            return str(self._tokens.open(_SCOPE, token)[0])
        except (InvalidToken, ValueError):
            raise NoSuchSubscription from None

    def _unsubscribe(self, subscription_arn: str) -> str:
        return f"{PREFIX}/unsubscribe?{urlencode({'token': self._tokens.issue(_SCOPE, [subscription_arn])})}"
