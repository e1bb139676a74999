import { readFileSync } from 'node:fs';
import { writeFileAtomically } from '@latent-sft/model';
import { z } from 'zod';
import { canonicalJson, sha256OfJson } from './digest.js';

/**
 * Writes a JSON object with its own SHA-256 under `seal`, atomically; equal content gives equal bytes.
 * @throws If a number is not finite, or the disk is full.
 */
export function writeSealedJson(file: string, content: Readonly<Record<string, unknown>>): void {
  const sealed = { ...content, seal: sha256OfJson(content) };
  const text = `${JSON.stringify(JSON.parse(canonicalJson(sealed)), null, 2)}\n`;
  writeFileAtomically(file, [Buffer.from(text)]);
}

/**
 * Reads what `writeSealedJson` wrote.
 * @param reader The function that reads it, for messages.
 * @throws If the file is missing or not JSON.
 * @throws If its content no longer has the SHA-256 under `seal`.
 * @throws If it does not have the form of the schema.
 */
export function readSealedJson<T>(reader: string, file: string, schema: z.ZodType<T>): T {
  const { seal, ...content } = parseObject(reader, file);
  const found = sha256OfJson(content);
  if (found !== seal) {
    throw new Error(
      `${reader}: expected ${file} to have the seal ${found}, got ${seal}: its content was changed`,
    );
  }
  const result = schema.safeParse(content);
  if (!result.success) {
    const { path, message } = result.error.issues[0]!;
    throw new Error(`${reader}: expected a valid ${path.join('.') || 'object'} in ${file}, got: ${message}`);
  }
  return result.data;
}

function parseObject(reader: string, file: string): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`${reader}: expected a JSON object in ${file}, got ${code ?? message}`);
  }
}
