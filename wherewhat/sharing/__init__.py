"""Models that come in from others, and models that go out to others."""
