"""Speed, measured as ratios to named rivals or limits in the same run. Never part of the tests."""
