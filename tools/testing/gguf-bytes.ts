/** What a test GGUF says; every count and length may be a lie. */
export interface GgufText {
  readonly magic?: string;
  readonly version?: number;
  readonly tensorCount?: bigint;
  readonly pairCount?: bigint;
  readonly pairs?: readonly Buffer[];
  readonly tensors?: readonly Buffer[];
  readonly dataBytes?: number;
}

/** The bytes of a GGUF file. */
export function ggufBytes(text: GgufText): Buffer {
  const { magic = 'GGUF', version = 3, pairs = [], tensors = [], dataBytes = 0 } = text;
  const header = Buffer.concat([
    Buffer.from(magic, 'latin1'),
    uint32(version),
    uint64(text.tensorCount ?? BigInt(tensors.length)),
    uint64(text.pairCount ?? BigInt(pairs.length)),
    ...pairs,
    ...tensors,
  ]);
  const padding = (32 - (header.length % 32)) % 32;
  return Buffer.concat([header, Buffer.alloc(padding + dataBytes)]);
}

export const TYPES = { uint8: 0, uint32: 4, float32: 6, string: 8, array: 9, uint64: 10 } as const;

/** A metadata pair: key, number of the value's type, and its bytes. */
export function pair(key: string, type: number, value: Buffer): Buffer {
  return Buffer.concat([string(key), uint32(type), value]);
}

/** An array value: number of the elements' type, length, and their bytes. */
export function array(type: number, length: bigint, elements: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([uint32(type), uint64(length), elements]);
}

/** A tensor's entry: GGUF's dimensions (columns first), number of its type, offset in the data. */
export function tensor(
  name: string,
  dimensions: readonly (number | bigint)[],
  type: number,
  offset: number | bigint,
): Buffer {
  return Buffer.concat([
    string(name),
    uint32(dimensions.length),
    ...dimensions.map((length) => uint64(BigInt(length))),
    uint32(type),
    uint64(BigInt(offset)),
  ]);
}

export function string(text: string, length = BigInt(Buffer.byteLength(text))): Buffer {
  return Buffer.concat([uint64(length), Buffer.from(text)]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
