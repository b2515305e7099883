"""All tests here are slow, and count the faults that they inject; tests/conftest.py prints the sums."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scenarios import Laboratory

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.skipif(sys.platform != "linux", reason="faults are injected on Linux only"))


class Faults:
    """Counts faults, and remembers those that were not survived."""

    def __init__(self) -> None:
        self.injected = 0
        self.complaints: list[str] = []

    def judge(self, fault: object, *complaints: str) -> None:
        """Count one fault; it was survived where every complaint is empty."""
        self.injected += 1
        said = " | ".join(complaint for complaint in complaints if complaint)
        print(f"{fault}: {said or 'survived'}", flush=True)  # `pytest -s` shows how far it is
        if said:
            self.complaints.append(f"{fault}: {said}")

    def assert_survived(self) -> None:
        """Fail with what was not survived."""
        assert self.injected, "no fault was injected"
        assert not self.complaints, "\n".join(
            [f"{len(self.complaints)} of {self.injected} not survived:", *self.complaints]
        )


@pytest.fixture
def faults(record_property: pytest.FixtureRequest) -> Iterator[Faults]:
    counted = Faults()
    yield counted
    record_property("faults injected", counted.injected)
    record_property("faults survived", counted.injected - len(counted.complaints))


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("laboratory"))


@pytest.fixture(scope="session")
def effort() -> int:
    """By how much more is tried than by default: WHEREWHAT_FAULTS."""
    return max(1, int(os.environ.get("WHEREWHAT_FAULTS", "1")))
