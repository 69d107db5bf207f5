import { createWriteStream, mkdirSync, renameSync, type WriteStream } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { MediaStateChanged, type StateChange } from '../../core/contracts/events.ts';
import { parseJson, printableLine } from '../../core/contracts/text.ts';

/** `changes`: of media, and trouble. `trouble`: of these only what failed. `all`: every line as it comes. */
export type Shown = 'changes' | 'trouble' | 'all';

export interface LogOptions {
  /** JSON lines; an older file is kept as `….1`. */
  file: string;
  shown: Shown;
  /** Prints a line. */
  say: (line: string) => void;
  /** Where a media item that is ready plays. */
  placeOf: (change: StateChange) => Promise<string>;
}

/** Bytes after which the file begins anew. */
const MAX_BYTES = 64 * 2 ** 20;

/** A line of a function: Powertools' JSON. */
const Entry = z.object({
  level: z.string(),
  service: z.string().default(''),
  message: z.string().default(''),
  key: z.string().optional(),
  error: z.object({ message: z.string() }).optional().catch(undefined),
});
const TROUBLE = ['ERROR', 'CRITICAL'];

/** What `npm run dev` shows of the cloud's log and events, one line for each change, and writes to a file. */
export function openLog({ file, shown, say, placeOf }: LogOptions) {
  const written = new JsonLines(file);
  /** The latest change that was shown of each media item: events may come twice. */
  const latest = new Map<string, number>();
  const tell = (text: string) => say(`${new Date().toLocaleTimeString('en-GB')}  ${printableLine(text)}`);

  return {
    /** A line of the cloud's log. */
    line(text: string): void {
      const json = jsonOf(text);
      written.add(json ?? { timestamp: new Date().toISOString(), service: 'local-cloud', message: text });
      const told = json === undefined ? text.split('\n', 1)[0] : troubleOf(json);
      if (shown === 'all') say(text);
      else if (told) tell(told);
    },
    async event(event: object): Promise<void> {
      const { success, data } = MediaStateChanged.safeParse(event);
      if (!success || shown === 'all') return;
      const { detail } = data;
      if (detail.seq <= (latest.get(detail.mediaId) ?? -1)) return;
      latest.set(detail.mediaId, detail.seq);
      if (shown === 'trouble' && detail.to !== 'failed') return;
      tell([detail.title, detail.to ?? 'deleted', await outcomeOf(detail, placeOf)].filter(Boolean).join('  '));
    },
    close: () => written.close(),
  };
}

async function outcomeOf(change: StateChange, placeOf: LogOptions['placeOf']): Promise<string> {
  const { to, from, error, warnings = [] } = change;
  // A media item whose new encode failed is ready again, with its old version.
  if (error && (to === 'failed' || from === 'retranscoding')) return `${error.code}: ${error.message}`;
  if (to !== 'ready') return '';
  const lost = warnings.map(({ code }) => code).join(', ');
  return `${await placeOf(change)}${lost && `  (warnings: ${lost})`}`;
}

/** Undefined for what is no trouble. */
function troubleOf(json: object): string | undefined {
  const { success, data } = Entry.safeParse(json);
  if (!success) return undefined;
  const { level, service, message, key, error } = data;
  if (message === 'bad_key')
    return `ignored: ${key}: the key has to be drop/{creator}/{file} or drop/{creator}/{collection}/{file}`;
  if (!TROUBLE.includes(level)) return undefined;
  return `${service}: ${message}${error ? `: ${error.message}` : ''}`;
}

/** Of a line of a function, which begins with the function's name. Undefined for any other. */
function jsonOf(line: string): object | undefined {
  const at = line.indexOf(': {');
  const json = at < 0 ? undefined : parseJson(line.slice(at + 2));
  return typeof json === 'object' && json !== null ? json : undefined;
}

class JsonLines {
  readonly #file: string;
  #stream: WriteStream;
  #bytes = 0;

  constructor(file: string) {
    this.#file = file;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    this.#stream = this.#begin();
  }

  add(entry: object): void {
    const text = `${JSON.stringify(entry)}\n`;
    this.#bytes += Buffer.byteLength(text);
    if (this.#bytes > MAX_BYTES) {
      this.#stream.end();
      this.#stream = this.#begin();
      this.#bytes = Buffer.byteLength(text);
    }
    this.#stream.write(text);
  }

  close(): Promise<void> {
    return new Promise((done) => {
      this.#stream.end(() => done());
    });
  }

  #begin(): WriteStream {
    try {
      renameSync(this.#file, `${this.#file}.1`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const stream = createWriteStream(this.#file, { mode: 0o600 });
    // A full disk must not end the cloud: what the disk lacks is said by the storage.
    stream.on('error', () => {});
    return stream;
  }
}
