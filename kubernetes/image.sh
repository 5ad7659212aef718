#!/bin/sh
# Builds blockpoint:VERSION without a Docker engine and without a registry: as root, each step in a chroot, on a base
# of Debian's packages. Needs buildah and mmdebstrap, and a Debian or an Ubuntu that trusts Debian's keys.
#
#   kubernetes/image.sh
#   CERTIFICATES=/etc/ssl/certs kubernetes/image.sh      where the way to PyPI has an authority of its own
#
# docs/docker.md tells what was built and run with it.
set -eu
cd "$(dirname "$0")/.."
export STORAGE_DRIVER="${STORAGE_DRIVER:-vfs}" BUILDAH_ISOLATION=chroot
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' pyproject.toml)
base=localhost/blockpoint-base

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  container=$(buildah from scratch)
  # Debian 12: its Python is the minor version that the tests run on
  mmdebstrap --mode=root --variant=minbase \
    --include=ca-certificates,python-is-python3,python3-pip,python3-venv bookworm "$(buildah mount "$container")"
  buildah config --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --env SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt "$container"
  buildah commit --quiet --rm "$container" "$base"
fi
buildah build --pull-never --build-arg "BASE=$base" ${CERTIFICATES:+--volume "$CERTIFICATES:/etc/ssl/certs:ro"} \
  --tag "localhost/blockpoint:$version" .
