import { defineConfig } from 'tsup';
import { library } from '../../tools/tsup.base.js';

export default defineConfig({ ...library, entry: ['src/index.ts', 'src/worker.ts'] });
