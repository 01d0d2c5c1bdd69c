# Shared by the scripts here; sourced, not run. Sets ROOT and goes there.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
mkdir -p .parvis/logs .cache

say() { printf '\033[1m%s\033[0m\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# packages GROUP...: the Debian packages of these groups of packages.txt.
packages() {
  awk -v want=" $* " '/^#/ {next} /^\[/ {gsub(/[][]/, ""); on = index(want, " " $0 " "); next} on' scripts/packages.txt
}

# install GROUP...: installs what is missing. Servers that packages bring are not started (policy-rc.d): ours are private.
install() {
  local missing=() name policy=/usr/sbin/policy-rc.d
  for name in $(packages "$@"); do
    dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
  done
  # A newer Node.js than Debian's brings its own npm; either will do.
  if command -v node >/dev/null && command -v npm >/dev/null; then
    for i in "${!missing[@]}"; do case ${missing[i]} in npm|nodejs) unset "missing[i]" ;; esac; done
  fi
  [ ${#missing[@]} = 0 ] && return 0
  say "Installing ${#missing[@]} packages: ${missing[*]}"
  [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null; as_root chmod +x "$policy"; local ours=1; }
  local failed=0
  { as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
      "${missing[@]}"; } >.parvis/logs/apt.log 2>&1 || failed=1
  [ -z "${ours:-}" ] || as_root rm -f "$policy"
  [ $failed = 0 ] || { tail -n 15 .parvis/logs/apt.log >&2; die "apt-get failed; its log: .parvis/logs/apt.log"; }
}

# build PRESET TARGET...: configures and builds, with a line of progress.
build() {
  local preset=$1 began=$SECONDS; shift
  say "Building ($preset: $*)"
  cmake --preset "$preset" >".parvis/logs/configure-$preset.log" 2>&1 ||
    { tail -n 20 ".parvis/logs/configure-$preset.log" >&2; die "cmake failed; its log: .parvis/logs/configure-$preset.log"; }
  if [ -t 1 ]; then
    NINJA_STATUS='[%f/%t %es] ' ninja -C "build/$preset" "$@"
  else  # one line for every 25 steps
    NINJA_STATUS='[%f/%t %es] ' ninja -C "build/$preset" "$@" >".parvis/logs/build-$preset.log" 2>&1 &
    local ninja=$! shown=''
    while kill -0 $ninja 2>/dev/null; do
      sleep 15
      local line; line=$(grep -ao '^\[[0-9]*/[0-9]* [0-9.]*s\]' ".parvis/logs/build-$preset.log" | tail -n 1 || true)
      [ "$line" = "$shown" ] || printf '  %s\n' "$line"; shown=$line
    done
    wait $ninja || { grep -aE 'error|FAILED' ".parvis/logs/build-$preset.log" | head -n 20 >&2
      die "the build failed; its log: .parvis/logs/build-$preset.log"; }
  fi
  say "Built in $((SECONDS - began)) s"
}
