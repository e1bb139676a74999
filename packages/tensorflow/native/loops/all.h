// All loops for one instruction set. System headers come before the target is set: an inline function of theirs,
// compiled for AVX-512, could otherwise be the copy that the linker keeps for everyone.
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <utility>

#include "loops.h"

#ifdef LATENT_TARGET
LATENT_TARGET
#endif

namespace latent {
namespace LATENT_INSTRUCTION_SET {
#include "vector.h"
#include "attention-keys.h"
#include "attention.h"
#include "attention-gradient.h"
#include "element-wise.h"
#include "dropout.h"
#include "rms-norm.h"
#include "rotary.h"
#include "vocabulary.h"
#include "head.h"
#include "mixture.h"
#include "top-words.h"
#include "packed-rows.h"
#include "columns.h"
}  // namespace LATENT_INSTRUCTION_SET

#define LATENT_TEXT(name) LATENT_QUOTED(name)
#define LATENT_QUOTED(name) #name
#define LATENT_TABLE(name) LATENT_JOINED(name)
#define LATENT_JOINED(name) name##_loops
#define LATENT_PRODUCTS(name) LATENT_JOINED_PRODUCTS(name)
#define LATENT_JOINED_PRODUCTS(name) name##_products

const Loops LATENT_TABLE(LATENT_INSTRUCTION_SET) = {
    LATENT_TEXT(LATENT_INSTRUCTION_SET),
    LATENT_PRODUCTS(LATENT_INSTRUCTION_SET)::product,
    LATENT_PRODUCTS(LATENT_INSTRUCTION_SET)::pack_weights,
    LATENT_PRODUCTS(LATENT_INSTRUCTION_SET)::pack_factor,
    LATENT_PRODUCTS(LATENT_INSTRUCTION_SET)::packed_product,
    LATENT_INSTRUCTION_SET::attention_units,
    LATENT_INSTRUCTION_SET::attention_scratch,
    LATENT_INSTRUCTION_SET::attention,
    LATENT_INSTRUCTION_SET::attention_gradient_chunks,
    LATENT_INSTRUCTION_SET::attention_gradient_scratch,
    LATENT_INSTRUCTION_SET::attention_gradient,
    LATENT_INSTRUCTION_SET::sum_key_chunks,
    LATENT_INSTRUCTION_SET::sum_parts,
    LATENT_INSTRUCTION_SET::swiglu,
    LATENT_INSTRUCTION_SET::swiglu_gradient,
    LATENT_INSTRUCTION_SET::adam_w,
    LATENT_INSTRUCTION_SET::dropout,
    LATENT_INSTRUCTION_SET::rms_norm,
    LATENT_INSTRUCTION_SET::rms_norm_gradient,
    LATENT_INSTRUCTION_SET::rotary,
    LATENT_INSTRUCTION_SET::cross_entropy,
    LATENT_INSTRUCTION_SET::full_kl,
    LATENT_INSTRUCTION_SET::sparse_kl,
    LATENT_INSTRUCTION_SET::scale_rows,
    LATENT_INSTRUCTION_SET::head_stretch,
    LATENT_INSTRUCTION_SET::head_finish,
    LATENT_INSTRUCTION_SET::head_slope,
    LATENT_INSTRUCTION_SET::mixture,
    LATENT_INSTRUCTION_SET::mixture_gradient,
    LATENT_INSTRUCTION_SET::sum_by_token,
    LATENT_INSTRUCTION_SET::top_words,
    LATENT_INSTRUCTION_SET::merge_top_words,
    LATENT_INSTRUCTION_SET::packed_rows,
    LATENT_INSTRUCTION_SET::unpack_rows,
    LATENT_INSTRUCTION_SET::pack_rows,
    LATENT_INSTRUCTION_SET::column_product,
    LATENT_INSTRUCTION_SET::rows_to_columns,
    LATENT_INSTRUCTION_SET::columns_to_rows,
    LATENT_INSTRUCTION_SET::rms_norm_columns,
};

}  // namespace latent
