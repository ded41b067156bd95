"""What AWS asks for, in US dollars, and since when we believe so: the one place for prices.

Region us-east-1, on demand, without the free tier. From the public price pages of each service
(https://aws.amazon.com/lambda/pricing/, /sqs/, /dynamodb/, /s3/, /eventbridge/, /secrets-manager/,
/cloudwatch/); compare with them before you rely on it.
"""

from __future__ import annotations

from typing import Final

DATE: Final = "2026-06"
REGION: Final = "us-east-1"

MILLION: Final = 1_000_000
LAMBDA_GB_SECOND: Final = 0.0000133334
"""arm64."""
LAMBDA_REQUEST: Final = 0.20 / MILLION
SQS_FIFO_REQUEST: Final = 0.50 / MILLION
"""Per 64 KB that a request carries."""
SQS_REQUEST: Final = 0.40 / MILLION
DYNAMODB_WRITE: Final = 0.625 / MILLION
"""Per 1 KB; twice that in a transaction."""
DYNAMODB_READ: Final = 0.125 / MILLION
"""Per 4 KB, strongly consistent."""
S3_PUT: Final = 0.005 / 1_000
S3_GET: Final = 0.0004 / 1_000
EVENT: Final = 1.00 / MILLION
SCHEDULE: Final = 1.00 / MILLION
SECRET_MONTH: Final = 0.40
ALARM_MONTH: Final = 0.10
METRIC_MONTH: Final = 0.30
"""Of a custom metric, in parts: only the hours in which something is sent count."""
DASHBOARD_MONTH: Final = 3.00
S3_GB_MONTH: Final = 0.023
DYNAMODB_GB_MONTH: Final = 0.25
DYNAMODB_BACKUP_GB_MONTH: Final = 0.20
"""Of restoring to a point in time."""
KMS_KEY_MONTH: Final = 1.00
KMS_REQUEST: Final = 0.03 / 10_000
NAT_HOUR: Final = 0.045
ENDPOINT_HOUR: Final = 0.01
"""Of an interface endpoint in one availability zone."""
LOGS_GB: Final = 0.50
