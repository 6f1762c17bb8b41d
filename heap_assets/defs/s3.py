"""S3 for assets of your own: dagster-aws's resource, reached as the export is.

Here: one class, in a module of its own because importing dagster-aws takes 1.5 s.
"""

import os
from typing import Any

from dagster_aws.s3 import S3Resource

from heap_assets.aws.access import s3_client
from heap_assets.settings import read_settings


class HeapS3(S3Resource):
    """dagster-aws's resource with our endpoint, role and refreshing credentials."""

    def get_client(self) -> Any:
        """Return a boto3 client."""
        return s3_client(read_settings(os.environ).aws)
