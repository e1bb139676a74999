import { defineConfig } from 'tsup';
import { library } from '../../tools/tsup.base.js';

// the worker is started by its file, beside the bundle
export default defineConfig({
  ...library,
  entry: { index: 'src/index.ts', 'parquet-worker': 'src/readers/containers/parquet-worker.js' },
});
