"""Traces of requests, with the extra `otel` (docs/observability.md).

The libraries are imported only when the settings name a collector. A trace is a request and, within it, the
authorizations, transactions and signatures that it took. Spans say ids, operations and durations; never a header, a
parameter or a name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from greatseal import __version__
from greatseal.app.rooms import Rooms
from greatseal.aws.door import AwsDoor
from greatseal.edge.messages import HttpRequest, HttpResponse
from greatseal.edge.mounts import Handler

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

_EXTRA = "traces need the extra `otel`: pip install 'greatseal[otel]'"


class Tracing:
    """Opens spans, and sends them to a collector from a thread of its own."""

    def __init__(self, exporter: "SpanExporter", *, share: float = 1.0, node: str = "") -> None:
        """`share` is the part of the requests that are traced. Raises ImportError without the extra."""
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        about = {"service.name": "greatseal", "service.version": __version__, "service.instance.id": node}
        self._provider: TracerProvider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=Resource(about), shutdown_on_exit=False
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("greatseal", __version__)
        self._context = TraceContextTextMapPropagator()

    @contextmanager
    def __call__(self, name: str, /, **attributes: str | int) -> Iterator[object]:
        """A `kernel.spans.Spans`. Only what belongs to a request is traced: not what the clock does."""
        from opentelemetry import trace

        if not trace.get_current_span().get_span_context().is_valid:
            yield None
            return
        # What went wrong is told by its kind: messages may name what nobody else should read.
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                raise

    def request(self, request: HttpRequest, answer: Handler) -> HttpResponse:
        """Answers a request by `answer(request)` within a span, which continues the trace of the caller."""
        from opentelemetry.trace import SpanKind

        parent = request.header("traceparent")
        context = self._context.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            "request", context, SpanKind.SERVER, record_exception=False, set_status_on_exception=False
        ) as span:
            response = answer(request)
            span.update_name(response.operation or "request")
            span.set_attribute("http.request.method", request.method)
            span.set_attribute("http.response.status_code", response.status)
            span.set_attribute("greatseal.request_id", request.request_id)
            return response

    def watch(self, rooms: Rooms) -> None:
        """Has these rooms tell of what they do from now on."""
        rooms.storage.spans = self
        rooms.access.spans = self

    def door(self, **collaborators: Any) -> AwsDoor:
        """The door of the AWS wire, traced."""
        return TracedDoor(self, **collaborators)

    def flush(self) -> None:
        """Sends what has gathered."""
        self._provider.force_flush()

    def close(self) -> None:
        """Sends what has gathered and ends the thread."""
        self._provider.shutdown()


class TracedDoor(AwsDoor):
    """The door of the AWS wire with a trace for each request."""

    # What is done for many belongs to no trace of one.
    _joins = False

    def __init__(self, tracing: Tracing, **collaborators: Any) -> None:
        """`collaborators` are those of the door."""
        super().__init__(**collaborators)
        self._tracing = tracing

    def handle(self, request: HttpRequest) -> HttpResponse:
        """As the door."""
        return self._tracing.request(request, super().handle)


def to_collector(endpoint: str, *, share: float, node: str) -> Tracing:
    """Traces that go to an OTLP collector over HTTP. Raises OSError without the extra."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError as error:
        raise OSError(_EXTRA) from error
    return Tracing(OTLPSpanExporter(endpoint=endpoint, timeout=5), share=share, node=node)
