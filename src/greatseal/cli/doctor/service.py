"""Checks of the running service, made as a client makes them."""

import fcntl
import http.client
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from greatseal.cli.client import Endpoint, NotStarted, read_endpoint
from greatseal.cli.doctor.findings import Finding, Level, Patient

_TIMEOUT_SECONDS = 5
_DAYS_TO_WORRY = 7


def answering(patient: Patient) -> Iterator[Finding]:
    """The HTTPS listener answers with a certificate that the bundle verifies, and the plain listener answers."""
    directory = patient.settings.paths
    try:
        endpoint = read_endpoint(directory)
    except NotStarted as reason:
        yield Finding("service", Level.WARNING, str(reason).splitlines()[0], f"greatseal serve --data {directory.path}")
        return
    try:
        context = ssl.create_default_context(cafile=str(directory.ca_bundle))
    except (OSError, ssl.SSLError) as error:
        yield Finding(
            "service",
            Level.FAILURE,
            f"{directory.ca_bundle} cannot be used: {error}",
            "restart the service to write it anew",
        )
        return
    yield from _https(patient, endpoint, context)
    yield from _plain(endpoint)


def _https(patient: Patient, endpoint: Endpoint, context: ssl.SSLContext) -> Iterator[Finding]:
    address = urlsplit(endpoint.https)
    connection = http.client.HTTPSConnection(
        address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS, context=context
    )
    try:
        connection.connect()
        assert isinstance(connection.sock, ssl.SSLSocket)
        served, version = connection.sock.getpeercert() or {}, connection.sock.version()
        status = _health(connection)
    except ssl.SSLCertVerificationError as error:
        yield Finding(
            "service",
            Level.FAILURE,
            f"{endpoint.https} has a certificate that the bundle does not verify: {error.verify_message}",
            "another service may have taken the port; otherwise restart this one, which renews its certificate",
        )
        return
    except (OSError, http.client.HTTPException) as error:
        yield Finding(
            "service",
            Level.FAILURE if _owned(patient.settings.paths.path) else Level.WARNING,
            f"{endpoint.https} does not answer: {error}",
            f"see the log of the service; if there is none: greatseal serve --data {patient.settings.paths.path}",
        )
        return
    finally:
        connection.close()
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(served["notAfter"])), UTC)
    days = (ends - patient.now).days
    if status != 200:
        yield Finding(
            "service", Level.FAILURE, f"{endpoint.https} is not ready (status {status})", "see: greatseal status"
        )
    text = f"{endpoint.https} answers over {version}; its certificate is good for {days} more days"
    if days < _DAYS_TO_WORRY:
        yield Finding("service", Level.WARNING, text, "restart the service, which renews its certificate")
    else:
        yield Finding("service", Level.OK, text)


def _health(connection: http.client.HTTPConnection) -> int:
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    answer.read()
    return answer.status


def _owned(directory: Path) -> bool:
    """Whether a process holds the data directory, so that silence is its fault and not its absence."""
    try:
        with (directory / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _plain(endpoint: Endpoint) -> Iterator[Finding]:
    address = urlsplit(endpoint.http)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS)
    try:
        _health(connection)
    except (OSError, http.client.HTTPException) as error:
        yield Finding(
            "plain listener",
            Level.WARNING,
            f"{endpoint.http} does not answer: {error}; clients cannot fetch CRLs, OCSP answers and CA certificates",
            "start the service, or see its log",
        )
        return
    finally:
        connection.close()
    yield Finding("plain listener", Level.OK, f"{endpoint.http} answers")
