// The addon: loading it registers the fused operations with TensorFlow. It exports which loops this processor runs.
#include <node_api.h>

#include "ops/attention-ops.h"
#include "ops/attention-block-ops.h"
#include "ops/cache-ops.h"
#include "ops/decode-ops.h"
#include "ops/feed-forward-ops.h"
#include "ops/head-ops.h"
#include "ops/layer-ops.h"
#include "ops/optimiser-ops.h"
#include "ops/packed-ops.h"
#include "ops/table-ops.h"
#include "ops/top-words-ops.h"
#include "ops/vocabulary-ops.h"

NAPI_MODULE_INIT() {
  napi_value name;
  napi_create_string_utf8(env, latent::loops().instruction_set, NAPI_AUTO_LENGTH, &name);
  napi_set_named_property(env, exports, "instructionSet", name);
  return exports;
}
