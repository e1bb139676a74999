import { describeValue } from './describe-value.js';
import { type AddedTokenEntry, LARGEST_ID } from './tokenizer-file.js';

type Fail = (expected: string, got: string) => Error;

/**
 * Checks the vocabulary, the merges and the added tokens of a byte-pair encoding.
 *
 * Every merge must join two tokens of the vocabulary to a third; since a piece cannot be empty, a merge is longer
 * than its parts, and no chain of merges can lead back to where it began.
 */
export function checkBpeModel(
  model: Readonly<Record<string, unknown>>,
  added: readonly AddedTokenEntry[],
  fail: Fail,
): void {
  const { vocab, merges, continuing_subword_prefix: prefix } = model;
  if (vocab === null || typeof vocab !== 'object' || Array.isArray(vocab)) {
    throw fail('model.vocab as an object of ids', describeValue(vocab));
  }
  const ids = checkVocabulary(vocab, fail);
  if (!Array.isArray(merges)) throw fail('model.merges as a list', describeValue(merges));
  const vocabulary = new Set(Object.keys(vocab));
  const skip = typeof prefix === 'string' ? prefix.length : 0;
  for (const [index, merge] of merges.entries()) {
    const [left, right] = mergePieces(merge, index, fail);
    for (const piece of [left, right, left + right.slice(skip)]) {
      if (vocabulary.has(piece)) continue;
      throw fail(`tokens of the vocabulary in model.merges[${index}]`, JSON.stringify(piece));
    }
  }
  checkAdded(added, ids, fail);
}

function checkVocabulary(vocab: object, fail: Fail): Map<number, string> {
  const ids = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab)) {
    if (!Number.isInteger(id) || id < 0 || id > LARGEST_ID) {
      throw fail(`an id in [0, ${LARGEST_ID}] for token ${JSON.stringify(token)}`, describeValue(id));
    }
    const other = ids.get(id);
    if (other !== undefined) {
      throw fail(`one token for id ${id}`, `${JSON.stringify(other)} and ${JSON.stringify(token)}`);
    }
    ids.set(id, token);
  }
  if (ids.size === 0) throw fail('a vocabulary with a token', 'none');
  return ids;
}

function mergePieces(merge: unknown, index: number, fail: Fail): readonly [string, string] {
  const pieces: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
  if (Array.isArray(pieces) && pieces.length === 2) {
    const [left, right] = pieces;
    if (typeof left === 'string' && typeof right === 'string' && left !== '' && right !== '') {
      return [left, right];
    }
  }
  throw fail(`two pieces in model.merges[${index}]`, describeValue(merge));
}

function checkAdded(added: readonly AddedTokenEntry[], ids: Map<number, string>, fail: Fail): void {
  const contents = new Map<string, number>();
  for (const { id, content } of added) {
    const other = ids.get(id);
    if (other !== undefined && other !== content) {
      throw fail(`one token for id ${id}`, `${JSON.stringify(other)} and ${JSON.stringify(content)}`);
    }
    ids.set(id, content);
    const before = contents.get(content);
    if (before !== undefined) throw fail(`one id for ${JSON.stringify(content)}`, `${before} and ${id}`);
    contents.set(content, id);
  }
}
