#!/bin/sh
# Builds the operations with sanitizers and runs every one of them under Node, on one and several threads, with each
# instruction set, at sizes even and odd, empty ones and refused ones: sh native/test/run-ops.sh [folder of the engine]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
engine=${1:-$(ls -d "${XDG_CACHE_HOME:-$HOME/.cache}"/latent-sft/tensorflow-*/ | head -n 1)}
engine=${engine%/}
headers=$(cd "$here/../.." && node -p "require('path').dirname(require.resolve('node-api-headers/package.json')) + '/include'")
binding=$(ls "$engine"/addons/tfjs_binding-*.node | head -n 1)
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT

compile() {
  source=$1
  shift
  g++ -std=c++17 -O1 -g -fPIC -DNAPI_VERSION=8 -fno-math-errno -fno-trapping-math -w \
    -isystem "$engine/tensorflow/include" -isystem "$headers" "$@" -c "$source" -o "$build/$(basename "$source").o"
}
for source in "$here"/../addon.cc "$here"/../loops/*.cc; do
  case $source in
    # Eigen's alone: run.sh has them with sanitizers, which takes the compiler minutes
    */product-*) compile "$source" -g0 ;;
    # -U: TensorFlow itself is built without sanitizers, and absl's containers must have the layout that it knows
    *) compile "$source" -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=all -U__SANITIZE_ADDRESS__ ;;
  esac &
done
wait
g++ -shared -fsanitize=address,undefined "$build"/*.o -o "$build/latent_fused.node" \
  "$engine/tensorflow/libtensorflow_cc.so.2" "$engine/tensorflow/libtensorflow_framework.so.2" \
  -Wl,-rpath,"$engine/tensorflow"

# Node and TensorFlow keep what they allocate once until the end
export ASAN_OPTIONS=detect_leaks=0 TF_CPP_MIN_LOG_LEVEL=3
export LD_PRELOAD="$(g++ -print-file-name=libasan.so)"
for set in portable avx2 avx512; do
  for threads in 1 3; do
    LATENT_SFT_FUSED=$set TF_NUM_INTRAOP_THREADS=$threads \
      node "$here/../../test/fused-digest.mjs" "$binding" "$build/latent_fused.node"
    LATENT_SFT_FUSED=$set TF_NUM_INTRAOP_THREADS=$threads \
      node "$here/ops-test.mjs" "$binding" "$build/latent_fused.node"
  done
done
