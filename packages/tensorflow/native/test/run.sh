#!/bin/sh
# Builds the loops with sanitizers and tests them: sh native/test/run.sh [folder with Eigen's headers]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
headers=${1:-$(ls -d "${XDG_CACHE_HOME:-$HOME/.cache}"/latent-sft/tensorflow-*/tensorflow/include | head -n 1)}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
# Eigen is not ours to warn about, nor are the uninitialised vectors that GCC's own AVX-512 header starts from
g++ -std=c++17 -O1 -g -fno-math-errno -fno-trapping-math -Wall -Wextra -Werror \
  -Wno-uninitialized -Wno-maybe-uninitialized -isystem "$headers" \
  -fsanitize=address,undefined -fno-sanitize-recover=all \
  "$here"/loops-test.cc "$here"/../loops/*.cc -o "$build/loops-test"
"$build/loops-test"
