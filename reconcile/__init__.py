"""The witness: reads both sides again and comes to a verdict, knowing nothing of the run."""
