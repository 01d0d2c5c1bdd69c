#!/usr/bin/env bash
# buf lint (STANDARD less what the AIPs decide otherwise) and buf breaking against the last accepted descriptors.
#   tests/protos/buf_test.sh            checks
#   tests/protos/buf_test.sh --accept   takes today's protos as the new base (say why in CHANGELOG.md)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
version=1.75.0 base=tests/golden/protos.binpb buf=.cache/buf/node_modules/.bin/buf
if [ ! -x $buf ]; then
  npm install --silent --no-fund --no-audit --prefix .cache/buf "@bufbuild/buf@$version" >.cache/buf.log 2>&1 ||
    { tail -n 5 .cache/buf.log; echo "buf $version could not be installed by npm"; exit 1; }
fi
if [ "${1:-}" = --accept ]; then
  exec $buf build protos -o $base
fi
$buf lint protos
$buf breaking protos --against $base
echo "buf lint and buf breaking: fine"
