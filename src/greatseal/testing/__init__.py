"""Shipped fakes for time, randomness and faults, and a whole installation inside one process.

For the tests of Greatseal and of programs that use it. Nothing in the service imports this package.
"""

from greatseal.testing.clock import FakeClock
from greatseal.testing.entropy import FakeEntropy
from greatseal.testing.installation import Installation

__all__ = ["FakeClock", "FakeEntropy", "Installation"]
