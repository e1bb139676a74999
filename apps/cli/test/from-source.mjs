// Lets a child process run the TypeScript source: `node --import test/from-source.mjs src/main.ts`. What it compiles
// it keeps in the folder $FROM_SOURCE_CACHE, for the next child.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { register } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

// Node runs hooks in a thread of their own, from this same file.
if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, next) {
  const inSource = specifier.startsWith('.') && context.parentURL?.endsWith('.ts');
  return next(inSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  return { format: 'module', source: await compiled(fileURLToPath(url)), shortCircuit: true };
}

async function compiled(file) {
  const text = readFileSync(file, 'utf8');
  const kept = join(process.env.FROM_SOURCE_CACHE, createHash('sha256').update(text).digest('hex'));
  if (existsSync(kept)) return readFileSync(kept, 'utf8');
  const { default: typescript } = await import('typescript');
  const { outputText } = typescript.transpileModule(text, {
    compilerOptions: { module: typescript.ModuleKind.ESNext, target: typescript.ScriptTarget.ES2022 },
  });
  // whole or not at all: other children may be reading
  writeFileSync(`${kept}.${process.pid}`, outputText);
  renameSync(`${kept}.${process.pid}`, kept);
  return outputText;
}
