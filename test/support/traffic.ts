import type { GatewayCall } from '../../local/gateway/hooks.ts';

/** What one role moves to and from S3, by the heads of its requests. */
export class Traffic {
  readonly #role: string;
  readonly #counts = new Map<string, number>();
  #pulled = 0;
  #pushed = 0;
  #names: string[] = [];

  /** @param role a part of its name */
  constructor(role: string) {
    this.#role = role;
  }

  /** Counts a call; false when it is somebody else's, or none of S3. */
  see({ service, operation, principal, request }: GatewayCall): boolean {
    if (service !== 's3' || principal.type !== 'role' || !principal.arn.includes(this.#role) || !request) return false;
    this.#counts.set(operation, this.count(operation) + 1);
    this.#names.push(`${operation} ${request.path.split('/').slice(3).join('/')}`);
    const { range, 'content-length': length } = request.headers;
    if (operation === 'GetObject' && range) this.#pulled += bytesOf(range);
    if (operation === 'PutObject' || operation === 'UploadPart') this.#pushed += Number(length ?? 0);
    return true;
  }

  /** Since the beginning. */
  count(operation: string): number {
    return this.#counts.get(operation) ?? 0;
  }

  /** Bytes asked for and sent since the last take, and what was called, `PutObject {path in its folder}`. */
  take(): { pulled: number; pushed: number; names: string[] } {
    const taken = { pulled: this.#pulled, pushed: this.#pushed, names: this.#names };
    this.#pulled = 0;
    this.#pushed = 0;
    this.#names = [];
    return taken;
  }
}

function bytesOf(range: string): number {
  const [, start = '0', end = '-1'] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
  return Number(end) - Number(start) + 1;
}
