import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** A hub with one repository, `owner/name`, as far as the client asks it anything. */
export class FakeHub {
  readonly commit = COMMIT;
  readonly files = new Map<string, Buffer>();
  /** Files that are listed by SHA-256, as large ones are. */
  readonly large = new Set<string>();
  /** What was asked for content, with its byte range. */
  readonly downloads: string[] = [];
  /** Changes an answer: `cut` sends only so many bytes and hangs up, `content` sends other bytes. */
  disturb: (path: string, from: number) => { cut?: number; content?: Buffer } = () => ({});
  /** Status of every listing. */
  status = 200;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((ready) => this.#server.listen(0, '127.0.0.1', ready));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((stopped) => {
      this.#server.close(() => stopped());
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url!.split('?')[0]!);
    if (this.status !== 200) return void json(response, { error: 'no' }, this.status);
    if (path === '/api/models/owner/name/revision/main') {
      return void json(response, { _id: '1', id: 'owner/name', sha: COMMIT, lastModified: '2026-01-01' });
    }
    if (path === `/api/models/owner/name/tree/${COMMIT}`) {
      return void json(
        response,
        [...this.files].map(([name, content]) => this.#entry(name, content)),
      );
    }
    const prefix = `/owner/name/resolve/${COMMIT}/`;
    const content = path.startsWith(prefix) ? this.files.get(path.slice(prefix.length)) : undefined;
    if (!content) return void json(response, { error: 'Repository not found' }, 404);
    this.#send(request, response, path.slice(prefix.length), content);
  }

  #entry(path: string, content: Buffer): object {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const oid = createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex');
    const lfs = this.large.has(path) ? { lfs: { oid: sha256, size: content.length, pointerSize: 134 } } : {};
    return { type: 'file', path, size: content.length, oid, ...lfs };
  }

  #send(request: IncomingMessage, response: ServerResponse, path: string, content: Buffer): void {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const start = Number(from ?? 0);
    const isProbe = to === '0';
    if (!isProbe) this.downloads.push(from === undefined ? path : `${path} from ${start}`);
    const { cut, content: other } = isProbe ? {} : this.disturb(path, start);
    const whole = other ?? content;
    const bytes = isProbe ? whole.subarray(0, 1) : whole.subarray(start);
    response.writeHead(from === undefined ? 200 : 206, {
      etag: '"x"',
      'content-length': bytes.length,
      'content-range': `bytes ${start}-${start + bytes.length - 1}/${content.length}`,
    });
    if (cut === undefined) return void response.end(bytes);
    response.write(bytes.subarray(0, cut), () => setTimeout(() => response.destroy(), 50));
  }
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
