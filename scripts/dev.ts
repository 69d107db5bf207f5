/** `npm run dev`: keeps the local cloud running. Files put in the watched folder, or sent with any S3 client, are ingested. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printable } from '../core/contracts/text.ts';
import { bootCloud, type Cloud, checkFree } from '../local/boot.ts';
import { announce } from './cloud-file.ts';
import { consoleLink } from './dev/console-link.ts';
import { readFaults } from './dev/faults.ts';
import { type LogOptions, openLog, type Shown } from './dev/log.ts';
import { openToOthers } from './dev/open-to-others.ts';
import { playerOf } from './dev/player-of.ts';
import { watchFolder } from './dev/watch.ts';
import { welcome } from './dev/welcome.ts';
import { LOCAL_CLOUD } from './local-cloud.ts';
import { node24 } from './node24.ts';
import { synthesizeIfChanged } from './synth.ts';

const USAGE = `Usage: npm run dev -- [OPTION…]

  --port N      of the AWS endpoint (default 4566; 0 takes any free one)
  --state DIR   where objects, rows and queues are kept (default .dropreel/dev)
  --watch DIR   files copied here are uploaded: {creator}/{collection}/{file}, or {file} alone (default dropreel-drop)
  --host ADDRESS[:PORT]  serves media and player to other machines too, on this address of this machine (default port 8080)
  --public-url URL       the address by which others ask (default http://ADDRESS:PORT); https, of a proxy, opens the API too
  --node24      functions and worker run on the Node that they have on AWS, brought from the npm registry
  --faults FILE what is to go wrong, as JSON: docs/faults.md
  --adverse SEED  calls as slow as on AWS, doubles, and what lags behind, by this number: docs/architecture.md
  --quiet       shows only what failed
  --verbose     shows every line of the functions' and services' log, which is also in DIR/log.jsonl
  --help        this text

Exit code: 0 ended by Ctrl-C, 1 it could not start, 2 wrong usage.
`;

/** Whose token the command takes, too. */
const DEVELOPER = 'me';

const say = (text: string) => process.stderr.write(`${printable(text)}\n`);

function parse(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string', default: '4566' },
      state: { type: 'string', default: '.dropreel/dev' },
      watch: { type: 'string', default: 'dropreel-drop' },
      node24: { type: 'boolean', default: false },
      faults: { type: 'string' },
      adverse: { type: 'string' },
      host: { type: 'string' },
      'public-url': { type: 'string' },
      quiet: { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port}: not a port number`);
  if (values.adverse !== undefined && !/^\d{1,9}$/.test(values.adverse)) {
    throw new Error(`--adverse ${values.adverse}: not a whole number`);
  }
  const open = openToOthers(values.host, values['public-url']);
  const shown: Shown = values.verbose ? 'all' : values.quiet ? 'trouble' : 'changes';
  return {
    ...values,
    port,
    open,
    shown,
    adverse: values.adverse === undefined ? undefined : { seed: Number(values.adverse) },
  };
}

type Options = ReturnType<typeof parse>;

async function run(options: Options): Promise<void> {
  const { state, port, open } = options;
  const faults = options.faults === undefined ? undefined : await readFaults(options.faults);
  await checkFree({ stateDir: state, port, ...(open && { open }) });
  const nodePath = options.node24 ? await node24(say) : process.execPath;
  const assembly = await synthesizeIfChanged(say);
  const shown = logOf(options);
  const cloud = await bootCloud({
    ...LOCAL_CLOUD,
    assembly,
    stateDir: state,
    port,
    log: shown.log.line,
    onEvent: (event) => void shown.log.event(event),
    nodePath,
    environment: {
      // Webhooks may also go to receivers on this machine: http://localhost:PORT, and no other address that is not public.
      WEBHOOK_ALLOW_LOOPBACK: 'true',
      ...(open && { DELIVERY_URL: open.url }),
    },
    ...(open && { open }),
    ...(faults && { faults }),
    ...(options.adverse && { adverse: options.adverse }),
  });
  shown.of(cloud);
  const withdraw = await announce(cloud);
  const watcher = await watchFolder({ cloud, folder: options.watch, index: join(state, 'watched.json'), log: say });
  const link = await consoleLink(cloud, { creatorId: DEVELOPER });
  say(welcome(cloud, { ...options, link }));
  if (!withdraw) say('Another local cloud runs in this directory: the command still uses that one.\n');
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  say('ending');
  await watcher.close();
  await withdraw?.();
  await cloud.close();
  await shown.log.close();
  const happened = new Map<number, number>();
  for (const { fault } of faults?.fired ?? []) happened.set(fault, (happened.get(fault) ?? 0) + 1);
  for (const [fault, times] of happened) say(`fault ${fault} of the plan came about: ${times}`);
}

/** The log begins before the cloud that it is of. */
function logOf({ state, shown, open }: Options) {
  let place: LogOptions['placeOf'] = async () => '';
  const log = openLog({ file: join(state, 'log.jsonl'), shown, say, placeOf: (change) => place(change) });
  return {
    log,
    of(cloud: Cloud): void {
      place = playerOf(cloud, open?.url ?? cloud.deliveryUrl);
    },
  };
}

async function main(argv: string[]): Promise<number> {
  let options: ReturnType<typeof parse>;
  try {
    options = parse(argv);
  } catch (error) {
    process.stderr.write(`dev: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    await run(options);
    return 0;
  } catch (error) {
    say(`dev: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
