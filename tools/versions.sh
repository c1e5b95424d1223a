# shellcheck shell=bash disable=SC2034  # sourced; the sourcing script uses these
# The one place where the versions of the toolchain are written.

# Older compilers are refused.
EMSCRIPTEN_MINIMUM=4.0.0
# What the project was last tested with.
EMSCRIPTEN_TESTED=6.0.5
