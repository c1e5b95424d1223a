#!/usr/bin/env bash
# Runs C test programs and adds up their closing lines.
# usage: tools/test-c.sh FLAVOUR PROGRAM...
set -euo pipefail
flavour=$1
shift
passed=0 failed=0
export TSAN_OPTIONS="halt_on_error=1 ${TSAN_OPTIONS:-}"
export ASAN_OPTIONS="detect_leaks=1 ${ASAN_OPTIONS:-}"
for program in "$@"; do
  name=$(basename "$program")
  log=$(mktemp)
  # A program that hangs is a failure, too.
  command=("$program")
  if [[ $program == *.cjs ]]; then command=(node "$program"); fi
  if timeout 300 "${command[@]}" >"$log" 2>&1; then
    read -r ok bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -n 1)
    if [ -z "${ok:-}" ]; then ok=0 bad=1; echo "$flavour $name: ended without its closing line"; fi
  else
    status=$?
    read -r ok bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$log" | tail -n 1) || true
    [ -n "${bad:-}" ] && [ "$bad" -gt 0 ] || bad=1
    ok=${ok:-0}
    echo "--- $flavour $name failed (exit status $status)"
    tail -n 60 "$log"
  fi
  passed=$((passed + ok)) failed=$((failed + bad))
  rm -f "$log"
done
echo "$flavour: $passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
