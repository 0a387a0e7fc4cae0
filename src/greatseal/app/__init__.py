"""The composition root: settings in, a running installation out. The only place that builds collaborators."""

import gc
from collections.abc import Callable

from greatseal.settings import Settings


def serve(settings: Settings, *, announce: Callable[[str], None]) -> None:
    """Runs the service until SIGTERM or SIGINT. `announce` receives the line that says where it answers."""
    prepare()
    from greatseal.app import workers

    workers.serve(settings, announce=announce)


def prepare() -> None:
    """Reads all code and models of the service, before anything of it is begun: workers are forked from here.

    What is read stays. To search it for garbage again and again would take a seventh of the time, and later searches
    would write to every page that workers share.
    """
    gc.disable()
    # Here, and not above: every other command imports its part of this package only.
    import greatseal.app.workers  # noqa: F401
    from greatseal.aws.catalogue import SERVICES
    from greatseal.aws.protocol.models import load_services

    load_services(SERVICES)
    gc.freeze()
    gc.enable()
