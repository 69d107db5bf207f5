import { createHash } from 'node:crypto';
import { AwsError } from '../kernel/service.ts';
import { type ChunkSigner, sameSignature } from './signature.ts';

/** A line of the framing: `10000;chunk-signature=…`, or a trailer. */
const MAX_LINE = 8192;
const LF = 0x0a;

/**
 * Removes the `aws-chunked` framing: `{hex size}[;chunk-signature=…]\r\n{data}\r\n` …, a chunk of size 0, then trailers.
 * Data is passed on as it arrives; `trailers` is filled at the end. With a `signer`, each chunk's signature is verified at its end.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @throws AwsError IncompleteBody, SignatureDoesNotMatch.
 */
export async function* decodeChunked(
  source: AsyncIterable<Buffer>,
  trailers: Record<string, string>,
  signer: ChunkSigner | undefined,
): AsyncGenerator<Buffer> {
  const input = new Input(source);
  for (;;) {
    const [size = '', extension = ''] = (await input.line()).split(';');
    if (!/^[0-9a-fA-F]{1,16}$/.test(size)) throw incomplete();
    let left = Number.parseInt(size, 16);
    const last = left === 0;
    const hash = signer ? createHash('sha256') : undefined;
    while (left > 0) {
      const data = await input.take(left);
      left -= data.length;
      hash?.update(data);
      yield data;
    }
    if (signer && hash) {
      const signature = extension.startsWith('chunk-signature=') ? extension.slice(16) : '';
      check(signature, signer.chunk(hash.digest('hex')));
    }
    if (last) break;
    if ((await input.line()) !== '') throw incomplete();
  }
  await readTrailers(input, trailers, signer);
}

async function readTrailers(
  input: Input,
  trailers: Record<string, string>,
  signer: ChunkSigner | undefined,
): Promise<void> {
  const hash = createHash('sha256');
  let signature: string | undefined;
  for (;;) {
    const line = await input.line(true);
    // Some clients end with the last trailer, without the blank line.
    if (line === '') break;
    const [name = '', value = ''] = line.split(/:(.*)/s).map((part) => part.trim());
    if (name.toLowerCase() === 'x-amz-trailer-signature') {
      signature = value;
    } else {
      hash.update(`${name.toLowerCase()}:${value}\n`);
      trailers[name.toLowerCase()] = value;
    }
  }
  if (signer && Object.keys(trailers).length > 0) check(signature ?? '', signer.trailer(hash.digest('hex')));
}

function check(given: string, expected: string): void {
  if (!sameSignature(given, expected)) {
    throw new AwsError(
      'SignatureDoesNotMatch',
      403,
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    );
  }
}

function incomplete(): AwsError {
  return new AwsError('IncompleteBody', 400, 'The request body terminated unexpectedly');
}

/** Lines and runs of bytes from a stream of buffers. */
class Input {
  readonly #source: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#source.next();
    if (done) return false;
    this.#buffer = this.#buffer.length === 0 ? value : Buffer.concat([this.#buffer, value]);
    return true;
  }

  /** The next line without its line end. At the end of the body an empty line, if `mayEnd`. */
  async line(mayEnd = false): Promise<string> {
    for (;;) {
      const end = this.#buffer.indexOf(LF);
      if (end >= 0) {
        const line = this.#buffer.toString('latin1', 0, end).replace(/\r$/, '');
        this.#buffer = this.#buffer.subarray(end + 1);
        return line;
      }
      if (this.#buffer.length > MAX_LINE) throw incomplete();
      if (!(await this.#more())) {
        if (!mayEnd) throw incomplete();
        const line = this.#buffer.toString('latin1').replace(/\r$/, '');
        this.#buffer = Buffer.alloc(0);
        return line;
      }
    }
  }

  /** At least one byte, at most `max`. */
  async take(max: number): Promise<Buffer> {
    while (this.#buffer.length === 0) if (!(await this.#more())) throw incomplete();
    const data = this.#buffer.subarray(0, max);
    this.#buffer = this.#buffer.subarray(data.length);
    return data;
  }
}
