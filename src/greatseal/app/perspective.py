"""The process of a remote perspective: uvicorn with TLS that only lets in whom one CA has certified."""

import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import uvicorn

from greatseal.app.domain_control import perspective
from greatseal.kernel.clock import SystemClock
from greatseal.kernel.entropy import SystemEntropy
from greatseal.settings import Settings
from greatseal.settings.values import Address

_MOST_CONNECTIONS = 256
_SECONDS_TO_END = 30


def serve(
    settings: Settings, listen: Address, *, certificate: Path, key: Path, ca: Path, ready: Callable[[str], None]
) -> None:
    """Answers until a signal. `ready` gets one line when the socket is there. Raises OSError, ValueError."""
    logging.basicConfig(level=logging.WARNING)
    config = uvicorn.Config(
        perspective(settings, SystemClock(), SystemEntropy()),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_SECONDS_TO_END,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        ssl_ca_certs=str(ca),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    config.load()
    assert config.ssl is not None
    config.ssl.minimum_version = ssl.TLSVersion.TLSv1_3
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    with socket.create_server((listen.host, listen.port), family=family, backlog=128) as listening:
        host, port = listening.getsockname()[:2]
        ready(f"ready https://{f'[{host}]' if ':' in host else host}:{port}")
        uvicorn.Server(config).run([listening])
