"""What a trace of a request tells, and that there is none of it without a collector."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry

from doors.pki import Pki, csr
from greatseal.app.doors import aws_door
from greatseal.app.tracing import Tracing
from greatseal.app.work_metrics import WorkMetrics
from greatseal.storage import Storage

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def traced(pki: Pki) -> tuple[Tracing, InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    tracing.watch(pki.installation.rooms)
    WorkMetrics(CollectorRegistry()).watch(pki.installation.rooms, tracing)
    pki.installation.door = aws_door(pki.installation.rooms, lambda _: True, tracing)
    return tracing, exporter


def test_a_request_is_a_trace_of_what_it_took(storage: Storage) -> None:
    pki = Pki(storage)
    root = pki.root()
    tracing, exporter = traced(pki)
    pki.issue(root, csr("secret-name.example.com"), algorithm="SHA256WITHECDSA")
    tracing.flush()
    spans = exporter.get_finished_spans()
    (request,) = [span for span in spans if span.parent is None]
    assert request.name == "acm-pca:IssueCertificate"
    assert request.attributes["http.response.status_code"] == 200
    assert len(request.attributes["greatseal.request_id"]) == 36
    assert {span.context.trace_id for span in spans} == {request.context.trace_id}
    assert {span.name for span in spans} == {request.name, "authorization", "transaction", "signature"}
    asked = [span.attributes["action"] for span in spans if span.name == "authorization"]
    assert asked == ["acm-pca:IssueCertificate"]
    kinds = {(span.attributes["kind"], span.attributes["algorithm"]) for span in spans if span.name == "signature"}
    assert kinds == {("authority", "SHA256WITHECDSA")}
    assert {span.attributes["access"] for span in spans if span.name == "transaction"} >= {"write"}
    told = " ".join(span.to_json() for span in spans)
    credential = pki.installation.credential
    for hidden in ("secret-name", credential.access_key_id, credential.secret.reveal().decode()):
        assert hidden not in told
    # What the clock does belongs to no request.
    exporter.clear()
    pki.installation.work()
    tracing.flush()
    assert exporter.get_finished_spans() == ()
    tracing.close()


def test_a_refusal_is_told_by_its_kind_only(storage: Storage) -> None:
    pki = Pki(storage)
    tracing, exporter = traced(pki)
    with pytest.raises(pki.pca.exceptions.ResourceNotFoundException):
        pki.pca.describe_certificate_authority(
            CertificateAuthorityArn="arn:aws:acm-pca:us-east-1:111122223333:certificate-authority/"
            "00000000-0000-4000-8000-000000000000"
        )
    tracing.flush()
    spans = exporter.get_finished_spans()
    assert [span.attributes["http.response.status_code"] for span in spans if span.parent is None] == [400]
    assert all(not span.events for span in spans)
    tracing.close()


def test_without_a_collector_nothing_is_even_imported(database_kind: str) -> None:
    look = "import greatseal.app.serving, sys; print(any(name.startswith('opentelemetry') for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
