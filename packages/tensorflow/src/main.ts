import { parseArgs } from 'node:util';
import { diagnose } from './diagnose.js';
import { setUpEngine } from './set-up-engine.js';

const HELP = `Usage: latent-sft-engine <command>

  setup            set up the native TensorFlow engine (about 260 MB to download, once)
    --gpu          with CUDA 12 instead (about 3.5 GB; never run on a GPU by this project: untested)
    --force        download and build again what is already there
    --quiet        say only what is done, nothing if there is nothing to do
  status           what is installed, what is missing, and how to mend it
    --json         as JSON

The engine is kept in $LATENT_SFT_CACHE, else $XDG_CACHE_HOME/latent-sft, else ~/.cache/latent-sft.
Wheels come from the index that pip is configured with.
`;

async function main(parameters: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: parameters,
    allowPositionals: true,
    options: {
      gpu: { type: 'boolean' },
      force: { type: 'boolean' },
      quiet: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  const [command] = positionals;
  if (command === 'setup' && !values.help) {
    const engine = await setUpEngine({
      gpu: values.gpu ?? false,
      force: values.force ?? false,
      onProgress: (line) => console.log(`engine: ${line}`),
    });
    if (!values.quiet)
      console.log(`engine: TensorFlow ${engine.tensorflowVersion} (${engine.flavour}) is ready`);
    return 0;
  }
  if (command === 'status' && !values.help) return printStatus(values.json ?? false);
  process.stdout.write(HELP);
  return values.help ? 0 : 2;
}

async function printStatus(json: boolean): Promise<number> {
  const diagnosis = await diagnose();
  if (json) console.log(JSON.stringify(diagnosis, null, 2));
  else {
    const { active, cache, problems } = diagnosis;
    console.log(
      active?.loads
        ? `TensorFlow ${active.tensorflowVersion} (${active.flavour}) runs`
        : 'TensorFlow does not run',
    );
    console.log(`cache: ${cache.folder}, ${Math.round(cache.sizeBytes / 1e6)} MB`);
    for (const { what, cure } of problems) console.log(`problem: ${what}; ${cure}`);
  }
  return diagnosis.healthy ? 0 : 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
