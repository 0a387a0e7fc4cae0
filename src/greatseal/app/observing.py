"""How the running service is: what it counts, whether it is ready, and the gauges of the installation, in one hand."""

from dataclasses import dataclass

from greatseal.app.readiness import Readiness, checks_of
from greatseal.app.rooms import Rooms
from greatseal.app.tracing import Tracing
from greatseal.app.vital_metrics import VitalsReader
from greatseal.app.work_metrics import WorkMetrics
from greatseal.app.worker_metrics import WorkerMetrics


@dataclass(frozen=True, slots=True)
class Observed:
    """The service as operators see it. Until it is started it says that it is not ready."""

    rooms: Rooms
    counted: WorkerMetrics
    readiness: Readiness
    vitals: VitalsReader
    tracing: Tracing | None = None

    @classmethod
    def over(
        cls, rooms: Rooms, counted: WorkerMetrics, *, workers: int = 1, tracing: Tracing | None = None
    ) -> "Observed":
        """Nothing is started, read or counted yet."""
        readiness = Readiness(checks_of(rooms))
        vitals = VitalsReader(rooms, counted.registry, readiness.found, workers=workers)
        return cls(rooms, counted, readiness, vitals, tracing)

    def start(self) -> None:
        """Looks at everything once, and goes on in threads."""
        WorkMetrics(self.counted.registry).watch(self.rooms, self.tracing)
        if self.tracing is not None:
            self.tracing.watch(self.rooms)
        self.readiness.start()
        self.vitals.start()

    def stop(self) -> None:
        """Ends the threads."""
        self.readiness.stop()
        self.vitals.stop()
        if self.tracing is not None:
            self.tracing.close()

    def text(self) -> bytes:
        """The answer of `/metrics`."""
        self.vitals.scraped()
        return self.counted.text()
