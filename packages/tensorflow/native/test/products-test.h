// Products of matrices, as they are and of packed operands, against sums in double precision.

static void test_product(const Loops& loops, latent::Form form, int64_t m, int64_t n, int64_t k, bool add) {
  using latent::Form;
  const Numbers a = normal(m * k), b = normal(n * k);
  Numbers c = normal(m * n);
  Doubles expected(m * n);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) {
      double sum = add ? c[i * n + j] : 0;
      for (int64_t l = 0; l < k; l++)
        sum += (double)(form == Form::kTN ? a[l * m + i] : a[i * k + l]) *
               (form == Form::kNT ? b[j * k + l] : b[l * n + j]);
      expected[i * n + j] = sum;
    }
  const int64_t lda = form == Form::kTN ? m : k, ldb = form == Form::kNT ? k : n;
  const std::string what = std::string(loops.instruction_set) + " product";
  if (form != Form::kTN) {
    const Scratch weights(n * k), factor(m * k);
    Numbers packed = c;
    const int64_t blocks = (n + latent::kPackedOutputs - 1) / latent::kPackedOutputs;
    in_parts(blocks, [&](int64_t begin, int64_t end) {
      loops.pack_weights(form, b.data(), ldb, n, k, begin, end, weights.data);
    });
    loops.pack_factor(a.data(), lda, m, k, factor.data);
    const latent::PackedTerm term = {weights.data, factor.data, k};
    loops.packed_product(&term, 1, m, n, packed.data(), n, add);
    expect_close(what + " of packed operands", packed, expected, 1e-5, 1e-5 * sqrt((double)k));
  }
  loops.product(form, m, n, k, a.data(), lda, b.data(), ldb, c.data(), n, add);
  expect_close(what, c, expected, 1e-5, 1e-5 * sqrt((double)k));
}

static void test_products(const Loops& loops) {
  for (const latent::Form form : {latent::Form::kNN, latent::Form::kNT, latent::Form::kTN})
    for (int i = 0; i < 60; i++)
      test_product(loops, form, 1 + below(i % 2 == 0 ? 9 : 70), 1 + below(i % 3 == 0 ? 420 : 60),
                   1 + below(i % 5 == 0 ? 1700 : 90), i % 4 == 0);
  // the sum of two terms
  const int64_t rows = 19, out = 50;
  const Numbers x = normal(rows * 7), z = normal(rows * 65), v = normal(out * 7), w = normal(out * 65);
  const Scratch x_packed(rows * 7), z_packed(rows * 65), v_packed(out * 7), w_packed(out * 65);
  loops.pack_factor(x.data(), 7, rows, 7, x_packed.data);
  loops.pack_factor(z.data(), 65, rows, 65, z_packed.data);
  loops.pack_weights(latent::Form::kNT, v.data(), 7, out, 7, 0, 1, v_packed.data);
  loops.pack_weights(latent::Form::kNT, w.data(), 65, out, 65, 0, 1, w_packed.data);
  const latent::PackedTerm terms[] = {{v_packed.data, x_packed.data, 7}, {w_packed.data, z_packed.data, 65}};
  Numbers y(rows * out);
  loops.packed_product(terms, 2, rows, out, y.data(), out, false);
  Doubles expected(rows * out);
  for (int64_t i = 0; i < rows * out; i++) {
    for (int64_t l = 0; l < 7; l++) expected[i] += (double)x[i / out * 7 + l] * v[i % out * 7 + l];
    for (int64_t l = 0; l < 65; l++) expected[i] += (double)z[i / out * 65 + l] * w[i % out * 65 + l];
  }
  expect_close(std::string(loops.instruction_set) + " product of two terms", y, expected, 1e-5, 1e-4);
}
