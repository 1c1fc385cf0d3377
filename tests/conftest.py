"""What holds for every test: no deadline on examples, since speed is no test's business."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "isb-migrate",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",
    print_blob=True,
)
settings.load_profile("isb-migrate")
