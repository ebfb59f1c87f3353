# What the local cluster runs, in one place; docker-compose.yml runs the same (test/deploy compares them).
# shellcheck shell=bash disable=SC2034
KAFKA_VERSION=4.4.0
# The newest Apicurio Registry that runs on Java 17.
REGISTRY_VERSION=3.0.9
# Stands in for MongoDB, whose own server is in no package registry; store-server/ makes it durable and fast enough.
MONGO_JAVA_SERVER_VERSION=1.47.0
# What Debian 12 packages.
REDIS_VERSION=7.0.15
