#!/bin/bash
# Runs inside LocalStack once it is ready: the bucket and the catalog table that the template would make.
# `penstock up` makes them too where they are absent; made here, other tools may use them at once.
set -eu
awslocal s3api head-bucket --bucket penstock 2>/dev/null || awslocal s3 mb s3://penstock
awslocal dynamodb describe-table --table-name penstock >/dev/null 2>&1 || awslocal dynamodb create-table \
  --table-name penstock --billing-mode PAY_PER_REQUEST \
  --attribute-definitions AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=S \
  --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE
touch /tmp/penstock-ready
