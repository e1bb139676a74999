import { peakRssBytes } from '@latent-sft/model';
import { selectEngine, squareProductGflops } from '@latent-sft/tensorflow';
import { z } from 'zod';
import { serve } from './process/serve.js';
import { openWork } from './worker/open-work.js';

const openSchema = z.looseObject({
  threads: z.int().min(1),
  backend: z.enum(['auto', 'tensorflow', 'wasm', 'cpu']),
});

const gemmSchema = z.object({ seconds: z.number().positive() });

// A process of our own that is measured beside the peers.
await serve({
  async open(params) {
    const { threads, backend } = openSchema.parse(params);
    const engine = await selectEngine(backend, { threads });
    const versions = {
      node: engine.nodeVersion,
      tfjs: engine.tfjsVersion,
      backend: engine.backend,
      ...(engine.tensorflowVersion && { tensorflow: engine.tensorflowVersion }),
      kernels: engine.fused ?? 'composed',
    };
    return { work: openWork(params), result: { versions, threads: engine.threads } };
  },
  gemm: (params) => ({ gflops: squareProductGflops(1024, 1000 * gemmSchema.parse(params).seconds) }),
  memory: () => ({ peakBytes: peakRssBytes() }),
});
