"""ASGI plumbing that every door shares: limits, request ids, access log, metrics, load shedding.

The edge knows HTTP and nothing of AWS, ACME or certificates. A door is a synchronous function from a
frozen `HttpRequest` to a frozen `HttpResponse`; the edge does the rest, the same for every door and
for every ASGI server.
"""

from greatseal.edge.asgi import EdgeApp
from greatseal.edge.messages import HttpRequest, HttpResponse, TlsInfo
from greatseal.edge.metrics import EdgeMetrics
from greatseal.edge.mounts import Handler, Mount, Mounts
from greatseal.edge.reading import Limits

__all__ = ["EdgeApp", "EdgeMetrics", "Handler", "HttpRequest", "HttpResponse", "Limits", "Mount", "Mounts", "TlsInfo"]
