import { runProgram } from './programs.js';

/** What a separate process found when it loaded the engine. */
export interface EngineCheck {
  readonly tensorflowVersion: string;
}

const CHECK = `
const [binding] = process.argv.slice(1).map((file) => require(file));
const matrix = binding.createTensor([2, 2], binding.TF_FLOAT, Float32Array.of(1, 2, 3, 4));
const flag = (name) => ({ name, type: binding.TF_ATTR_BOOL, value: false });
const type = { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT };
const [product] = binding.executeOp('MatMul', [flag('transpose_a'), flag('transpose_b'), type], [matrix, matrix], 1);
const values = [...binding.tensorDataSync(product.id)].join();
if (values !== '7,10,15,22') throw new Error('a 2x2 product came out as ' + values);
console.log(binding.TF_Version);
`;

/**
 * Loads the addons in a process of their own and multiplies two matrices, so that a library that crashes
 * cannot take the caller with it.
 *
 * @param addons Absolute paths, the binding first.
 * @throws if a library does not load, or the product is wrong.
 */
export async function checkEngine(addons: readonly string[]): Promise<EngineCheck> {
  const output = await runProgram(process.execPath, ['-e', CHECK, ...addons], {
    ...process.env,
    NODE_OPTIONS: '',
    TF_CPP_MIN_LOG_LEVEL: '3',
  });
  return { tensorflowVersion: output.trim().split('\n').at(-1)! };
}
