// Rows as columns: there and back, their norm, their products.

static void test_columns(const Loops& loops, int64_t rows, int64_t out, int64_t in) {
  const int64_t stride = (rows + 15) / 16 * 16, gap = 3;
  const Numbers weight = normal(out * in), x = normal(rows * in), norm_weight = normal(in), before = normal(out * stride);
  const std::string name = std::string(loops.instruction_set) + " columns";
  Numbers columns(in * stride, NAN), normed(in * stride, NAN), sums = before, products(out * stride, NAN);
  Doubles given(in * stride), scaled(in * stride), expected(out * stride), added(out * stride);
  for (int64_t r = 0; r < rows; r++) {
    double squares = 0;
    for (int64_t i = 0; i < in; i++) squares += (double)x[r * in + i] * x[r * in + i];
    for (int64_t i = 0; i < in; i++) {
      given[i * stride + r] = x[r * in + i];
      scaled[i * stride + r] = x[r * in + i] / sqrt(squares / in + 1e-5) * norm_weight[i];
      for (int64_t c = 0; c < out; c++) expected[c * stride + r] += (double)weight[c * in + i] * x[r * in + i];
    }
  }
  for (size_t i = 0; i < added.size(); i++) added[i] = before[i] + expected[i];
  in_parts(stride / 16, [&](int64_t begin, int64_t end) {
    loops.rows_to_columns(x.data(), rows, in, columns.data(), stride, begin, end);
    loops.rms_norm_columns(columns.data(), norm_weight.data(), 1e-5f, in, stride, normed.data(), begin, end);
  });
  expect_close(name, columns, given, 0, 0);
  expect_close(name + " norm", normed, scaled, 1e-5, 1e-6);
  in_parts(out, [&](int64_t begin, int64_t end) {
    const float* from = weight.data() + begin * in;
    loops.column_product(from, end - begin, in, columns.data(), stride, products.data() + begin * stride, false, from, 0);
    loops.column_product(from, end - begin, in, columns.data(), stride, sums.data() + begin * stride, true, from, 0);
  });
  expect_close(name + " product", products, expected, 1e-5, 2e-5);
  expect_close(name + " product, added", sums, added, 1e-5, 2e-5);
  // rows with a gap between them, which stays
  Numbers back(rows * (out + gap), 7);
  Doubles spread(rows * (out + gap), 7);
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < out; c++) spread[r * (out + gap) + c] = products[c * stride + r];
  in_parts(stride / 16, [&](int64_t begin, int64_t end) {
    loops.columns_to_rows(products.data(), stride, rows, out, back.data(), out + gap, begin, end);
  });
  expect_close(name + " as rows", back, spread, 0, 0);
}
