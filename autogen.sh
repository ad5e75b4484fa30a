#!/bin/sh
# Makes ./configure and what it needs. Only those who build from a checkout run this.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --warnings=all,no-portability "$@"
