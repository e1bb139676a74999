#!/bin/sh
# Builds the loops with sanitizers and tests them: sh native/test/run.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
g++ -std=c++17 -O1 -g -fno-math-errno -fno-trapping-math -Wall -Wextra -Werror \
  -fsanitize=address,undefined -fno-sanitize-recover=all \
  "$here"/loops-test.cc "$here"/../loops/*.cc -o "$build/loops-test"
"$build/loops-test"
