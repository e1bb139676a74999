import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resolveModel } from '../src/index.js';
import { FakeHub } from './fake-hub.js';

const weights = Buffer.from(Uint32Array.from({ length: 50_000 }, (_, index) => index * 2654435761).buffer);

let cache: string;
let fake: FakeHub;
let hub: string;
let said: string[];
const resolve = (reference = 'owner/name') =>
  resolveModel(reference, { hub, onProgress: (sentence) => said.push(sentence) });

beforeEach(async () => {
  cache = mkdtempSync(join(tmpdir(), 'hub-cache-'));
  vi.stubEnv('HF_HUB_CACHE', cache);
  vi.stubEnv('HF_HUB_OFFLINE', '');
  vi.stubEnv('HF_TOKEN', '');
  said = [];
  fake = new FakeHub();
  fake.files.set('config.json', Buffer.from('{"model_type":"llama"}\n'));
  fake.files.set('tokenizer.json', Buffer.from('{}'));
  fake.files.set('model.safetensors', weights);
  fake.large.add('model.safetensors');
  fake.files.set('pytorch_model.bin', Buffer.from('a pickle'));
  fake.files.set('README.md', Buffer.from('# Model'));
  hub = await fake.start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await fake.stop();
  rmSync(cache, { recursive: true });
});

describe('a model from the hub', () => {
  it('is a folder of its settings and safetensors, and of nothing else', async () => {
    const folder = await resolve();
    expect(folder).toBe(join(cache, 'models--owner--name', 'snapshots', fake.commit));
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(readFileSync(join(cache, 'models--owner--name', 'refs', 'main'), 'utf8')).toBe(fake.commit);
    expect(said).toContain('downloading model.safetensors of owner/name@main (0.2 MB)');
  });

  it('is not fetched twice', async () => {
    const folder = await resolve();
    const count = fake.downloads.length;
    expect(await resolve('hub:owner/name@main')).toBe(folder);
    expect(fake.downloads.length).toBe(count);
  });

  it('is used from the cache where the hub is out of reach', async () => {
    const folder = await resolve();
    await fake.stop();
    expect(await resolve()).toBe(folder);
    expect(await resolve(`owner/name@${fake.commit}`)).toBe(folder);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await resolve()).toBe(folder);
    await expect(resolve('owner/other')).rejects.toThrow(
      'resolveModel: expected the hub to list owner/other@main, got HF_HUB_OFFLINE is 1',
    );
  });

  it('comes with all of its shards', async () => {
    fake.files.delete('model.safetensors');
    const names = [
      'model.safetensors.index.json',
      'model-00001-of-00002.safetensors',
      'model-00002-of-00002.safetensors',
    ];
    for (const name of names) fake.files.set(name, Buffer.from(name));
    expect(readdirSync(await resolve()).sort()).toEqual(['config.json', ...names.sort(), 'tokenizer.json']);
  });

  it('may be a GGUF file, named where there are several', async () => {
    for (const path of ['model.safetensors', 'config.json']) fake.files.delete(path);
    fake.files.set('a.gguf', Buffer.from('GGUF a'));
    expect(readFileSync(await resolve(), 'latin1')).toBe('GGUF a');
    fake.files.set('b.gguf', Buffer.from('GGUF b'));
    await expect(resolve()).rejects.toThrow('expected one .gguf file in owner/name@main, got 2; name one');
    expect(readFileSync(await resolve('owner/name/b.gguf'), 'latin1')).toBe('GGUF b');
    await expect(resolve('owner/name/c.gguf')).rejects.toThrow(
      'expected c.gguf in owner/name@main, got no such file',
    );
  });

  it('goes on where a cut connection left off, at once and in a later call', async () => {
    let cuts = 1;
    fake.disturb = (path) => (path === 'model.safetensors' && cuts-- > 0 ? { cut: 70_000 } : {});
    const folder = await resolve();
    expect(readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true);
    expect(fake.downloads).toContain('model.safetensors from 70000');

    rmSync(cache, { recursive: true });
    fake.disturb = (path, from) => (path === 'model.safetensors' ? { cut: from === 0 ? 70_000 : 0 } : {});
    await expect(resolve()).rejects.toThrow(
      /expected 200000 bytes of model.safetensors, got 70000 before the connection failed \(.*\); another call goes on from there/,
    );
    fake.downloads.length = 0;
    fake.disturb = () => ({});
    expect(readFileSync(join(await resolve(), 'model.safetensors')).equals(weights)).toBe(true);
    expect(fake.downloads).toEqual(['model.safetensors from 70000']);
  });

  it('starts over when what was left is not a beginning of the file', async () => {
    const folder = await resolve();
    const blobs = join(cache, 'models--owner--name', 'blobs');
    const blob = readdirSync(blobs).find((name) => name.length === 64)!;
    rmSync(join(blobs, blob));
    writeFileSync(join(blobs, `${blob}.incomplete`), Buffer.alloc(1000, 'x'));
    expect(readFileSync(join(await resolve(), 'model.safetensors')).equals(weights)).toBe(true);
    expect(statSync(join(folder, 'model.safetensors')).size).toBe(weights.length);
  });

  it('is refused if its content is not what is listed', async () => {
    const changed = Buffer.from(weights);
    changed[1000]! ^= 1;
    fake.disturb = (path) => (path === 'model.safetensors' ? { content: changed } : {});
    await expect(resolve()).rejects.toThrow(/expected model.safetensors with sha256 hash \w{64}, got \w{64}/);
    fake.disturb = (path) =>
      path === 'config.json' ? { content: Buffer.from('{"model_type":"gpt22"}\n') } : {};
    rmSync(cache, { recursive: true });
    await expect(resolve()).rejects.toThrow(/expected config.json with git-blob hash \w{40}, got \w{40}/);
    expect(existsSync(join(cache, 'models--owner--name', 'refs'))).toBe(false);
  });

  it('is refused if more bytes come than are listed', async () => {
    fake.disturb = (path) =>
      path === 'model.safetensors' ? { content: Buffer.concat([weights, weights]) } : {};
    await expect(resolve()).rejects.toThrow('expected 200000 bytes of model.safetensors, got more');
  });

  it.each([
    [404, 'got status 404; check the name and the revision'],
    [401, 'got status 401; it does not exist, or needs a token in HF_TOKEN'],
    [403, 'got status 403; it is private or gated'],
    [503, 'got status 503'],
  ])('says what status %i means', async (status, message) => {
    fake.status = status;
    await expect(resolve()).rejects.toThrow(
      `resolveModel: expected the hub to list owner/name@main, ${message}`,
    );
  });

  it('says when the hub is out of reach and nothing is cached', async () => {
    await fake.stop();
    await expect(resolve()).rejects.toThrow(
      /expected the hub to list owner\/name@main, got fetch failed \(.*\)/,
    );
  });

  it('does not fetch weights that can execute code', async () => {
    fake.files.delete('model.safetensors');
    await expect(resolve()).rejects.toThrow(
      'expected model.safetensors, model.safetensors.index.json or a .gguf file in owner/name@main, got config.json, tokenizer.json, pytorch_model.bin, README.md',
    );
    expect(fake.downloads).toEqual([]);
  });
});

describe('resolveModel', () => {
  it('gives back a path that exists, and names one that does not', async () => {
    expect(await resolveModel(cache)).toBe(cache);
    for (const reference of [
      '',
      './nowhere',
      '/no/where',
      'name',
      'hub:name',
      'a/../b',
      'hub:../b/c',
      'hub:a/b/../c.gguf',
    ]) {
      await expect(resolveModel(reference, { hub })).rejects.toThrow(
        `resolveModel: expected an existing path, pypi:NAME or owner/name on the Hugging Face hub, got "${reference}"`,
      );
    }
  });
});
