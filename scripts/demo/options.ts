import { stat } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EngineChoice } from '../../core/contracts/engines.ts';

export const USAGE = `Usage: npm run demo -- [FILE…] [--engine NAME] [--json] [--exit] [--verbose]

Drops each FILE into the uploads bucket of a local cloud and shows what comes out.
Without a FILE, a sample video and a sample audio file are made and used.

  --engine    what encodes: batch-cpu, batch-gpu, http, mediaconvert, or auto, which chooses among all four (default: batch-cpu)
  --json      one JSON line per file on stdout, nothing else; ends when all are done
  --exit      end when all are done, also on a terminal
  --verbose   show the local cloud's own log
  --help      this text

Exit code: 0 every file is ready, 1 one failed, 2 wrong usage.
`;

export class UsageError extends Error {}

export interface DemoOptions {
  files: string[];
  /** Absent: what a deployment without other engines has. */
  engine: EngineChoice | undefined;
  json: boolean;
  /** Keep the cloud running for the player until Ctrl-C. */
  stayUp: boolean;
  verbose: boolean;
  help: boolean;
}

/** @throws UsageError for an unknown option, or a FILE that is not a readable file */
export async function parseOptions(argv: string[]): Promise<DemoOptions> {
  const { values, positionals } = parse(argv);
  for (const file of positionals) {
    const found = await stat(file).catch(() => null);
    if (!found) throw new UsageError(`${file}: no such file`);
    if (!found.isFile()) throw new UsageError(`${file}: not a file`);
  }
  return {
    files: positionals,
    engine: values.engine === undefined ? undefined : engineOf(values.engine),
    json: values.json,
    stayUp: !values.exit && !values.json && Boolean(process.stdout.isTTY && process.stdin.isTTY),
    verbose: values.verbose,
    help: values.help,
  };
}

function engineOf(name: string): EngineChoice {
  const { success, data } = EngineChoice.safeParse(name);
  if (!success) throw new UsageError(`--engine ${name}: takes ${EngineChoice.options.join(', ')}`);
  return data;
}

function parse(argv: string[]) {
  const flag = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        engine: { type: 'string' },
        json: flag,
        exit: flag,
        verbose: flag,
        help: { ...flag, short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
