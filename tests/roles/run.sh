#!/usr/bin/env bash
# What may run where, as clang checks it: tests/roles/roles.c has to compile, and
# none of its wrong variants may.
set -euo pipefail
cd "$(dirname "$0")/../.."
clang=${CLANG:-clang}
if ! command -v "$clang" >/dev/null; then
  echo "roles: $clang is not installed, so nothing is checked; try apt-get install clang"
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi
file=tests/roles/roles.c
compile=("$clang" -std=c11 -Isrc -Wall -Wextra -Wthread-safety -Werror -fsyntax-only)
passed=0 failed=0
if "${compile[@]}" $file; then
  passed=1
else
  echo "FAILED roles: what is right does not compile"
  failed=1
fi
for number in $(grep -oP 'WRONG == \K[0-9]+' $file); do
  # Each has to be refused for its role and for nothing else.
  output=$("${compile[@]}" -DWRONG="$number" $file 2>&1 || true)
  errors=$(grep -c 'error:' <<<"$output" || true)
  roles=$(grep -c 'error:.*-Wthread-safety' <<<"$output" || true)
  if [ "$roles" -gt 0 ] && [ "$errors" -eq "$roles" ]; then
    passed=$((passed + 1))
  else
    echo "FAILED roles: number $number should not compile"
    [ -z "$output" ] || echo "$output"
    failed=$((failed + 1))
  fi
done
echo "roles: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
