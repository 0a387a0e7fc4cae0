"""TLS: the service's own HTTPS and servers with exported certificates, seen by OpenSSL, GnuTLS and curl."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conformance.hierarchy import CLASSICAL, csr, pkcs8, requestable
from interop.programs import running

pytestmark = pytest.mark.interop
HOST = "app.example.internal"


def gnutls(ca: str, port: str, host: str, address: str = "127.0.0.1", *more: str) -> tuple[str, ...]:
    return ("gnutls-cli", "--x509cafile", ca, "--port", port, "--verify-hostname", host, *more, address)


def curl(ca: str, *more: str) -> tuple[str, ...]:
    return ("curl", "--silent", "--show-error", "--noproxy", "*", "--cacert", ca, *more)


@contextmanager
def s_server(bench, *more: str) -> Iterator[str]:
    """`openssl s_server` with server.pem, server.key and between.pem; the port it listens on."""
    files = ("-cert", "server.pem", "-key", "key.pem", "-cert_chain", "between.pem")
    command = ("openssl", "s_server", "-accept", "127.0.0.1:0", *files, "-www", *more)
    with running(*command, folder=bench.folder, ready=r"ACCEPT 127\.0\.0\.1:(\d+)") as found:
        yield found[1]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_the_service_itself(service, bench, host):
    ca = service.environment["AWS_CA_BUNDLE"]
    assert "Status: The certificate is trusted." in bench.run(*gnutls(ca, service.port, host))
    connecting = ("openssl", "s_client", "-connect", f"127.0.0.1:{service.port}", "-CAfile", ca, "-x509_strict")
    naming = ("-verify_ip", host) if host[0].isdigit() else ("-verify_hostname", host, "-servername", host)
    assert "Verification: OK" in bench.run(*connecting, *naming, "-verify_return_error", "-brief")
    shown = bench.run(*curl(ca, "--write-out", "\n%{http_version}", f"https://{host}:{service.port}/"))
    assert shown.splitlines()[-1] == "2"


def test_the_service_under_another_name_or_authority(service, chain, bench):
    ca = service.environment["AWS_CA_BUNDLE"]
    bench.fail(*gnutls(ca, service.port, "other.example.internal"))
    bench.put(other=chain("EC_prime256v1").issued.root)
    bench.fail(*gnutls("other.pem", service.port, "localhost"))
    assert "certificate" in bench.fail(*curl("other.pem", f"https://127.0.0.1:{service.port}/"))


@pytest.mark.parametrize(("version", "spoken"), [("1.3", True), ("1.2", True), ("1.1", False)])
def test_versions_of_the_service(service, bench, version, spoken):
    priority = f"NORMAL:-VERS-ALL:+VERS-TLS{version}"
    command = gnutls(
        service.environment["AWS_CA_BUNDLE"], service.port, "localhost", "127.0.0.1", "--priority", priority
    )
    if spoken:
        assert f"(TLS{version}-" in bench.run(*command)
    else:
        bench.fail(*command)


def test_curl_signs_a_request_itself(service, customer, bench):
    """A third implementation of Signature Version 4."""
    variables = service.environment
    signing = ("--aws-sigv4", f"aws:amz:{variables['AWS_DEFAULT_REGION']}:acm")
    secret = variables["AWS_SECRET_ACCESS_KEY"]
    headers = (
        "--header", "content-type: application/x-amz-json-1.1",
        "--header", "x-amz-target: CertificateManager.ListCertificates",
    )  # fmt: skip
    asking = curl(variables["AWS_CA_BUNDLE"], *signing, *headers, "--data", '{"MaxItems": 3}')
    user = f"{variables['AWS_ACCESS_KEY_ID']}:{secret}"
    address = f"{variables['AWS_ENDPOINT_URL']}/"
    assert "CertificateSummaryList" in json.loads(bench.run(*asking, "--user", user, address))
    refused = json.loads(bench.run(*asking, "--user", user[:-1], address))
    assert refused["__type"].endswith(("InvalidSignatureException", "SignatureDoesNotMatch"))


@pytest.mark.parametrize("key", CLASSICAL)
def test_an_exported_certificate(customer, chain, bench, key):
    made = customer.export(chain(key), requestable(key), HOST)
    bench.put(server=made.certificate, key=made.clear_key, between=made.intermediates, root=made.root)
    with s_server(bench) as port:
        connecting = ("openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", HOST)
        trusting = ("-CAfile", "root.pem", "-verify_return_error", "-x509_strict", "-brief")
        assert "Verification: OK" in bench.run(*connecting, *trusting, "-verify_hostname", HOST)
        bench.fail(*connecting, *trusting, "-verify_hostname", "other.example.internal")
        assert "Status: The certificate is trusted." in bench.run(*gnutls("root.pem", port, HOST))
        for version in ("--tlsv1.3", "--tls-max=1.2"):
            url = ("--resolve", f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/")
            assert "s_server" in bench.run(*curl("root.pem", *version.split("="), *url))
        bench.fail(*gnutls("root.pem", port, "other.example.internal"))


def test_a_server_without_the_intermediate_is_not_trusted(customer, chain, bench):
    made = customer.export(chain("EC_prime256v1"), "EC_prime256v1", HOST)
    bench.put(server=made.certificate, key=made.clear_key, between=made.certificate, root=made.root)
    with s_server(bench) as port:
        bench.fail(*gnutls("root.pem", port, HOST))
        url = ("--resolve", f"{HOST}:{port}:127.0.0.1", f"https://{HOST}:{port}/")
        bench.fail(*curl("root.pem", *url))


@pytest.mark.parametrize("key", ["RSA_2048", "EC_prime256v1"])
def test_a_client_shows_a_certificate(customer, chain, bench, key):
    server = customer.issue(chain(key), csr(key, HOST), "EndEntityServerAuthCertificate")
    client = customer.issue(chain(key), csr(key, "client-7"), "EndEntityClientAuthCertificate")
    bench.put(server=server.certificate, key=pkcs8(key), between=server.intermediates, root=server.root)
    bench.put(client=client.full_chain, wrong=server.full_chain)
    with s_server(bench, "-CAfile", "root.pem", "-Verify", "3", "-verify_return_error") as port:
        asking = curl("root.pem", "--resolve", f"{HOST}:{port}:127.0.0.1", "--key", "key.pem")
        page = bench.run(*asking, "--cert", "client.pem", f"https://{HOST}:{port}/")
        assert "CN = client-7" in page or "CN=client-7" in page
        bench.fail(*asking, "--cert", "wrong.pem", f"https://{HOST}:{port}/")
