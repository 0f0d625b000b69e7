"""Ten seconds of what `load.py` does for five minutes."""

import pytest
from load import load

RATE, SECONDS = 10_000, 10
# A fifth of the load takes less than half of what the whole may.
MOST_MB = 250


@pytest.mark.alone
def test_a_steady_load_is_kept_up_with_and_answers_go_on(start):
    figures = load(start("up"), RATE, SECONDS)
    print(figures)
    assert figures.produced >= RATE * SECONDS
    assert figures.refused == [] and len(figures.answers_ms) >= SECONDS // 2
    assert max(figures.memory_mb) < MOST_MB
    assert figures.lag_s < 60
