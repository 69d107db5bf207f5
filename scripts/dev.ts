/** `npm run dev`: the local cloud left running. Files put in the watched folder, or sent with any S3 client, are ingested. */
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DEVELOPER, REGION } from '../local/account.ts';
import { bootCloud, type Cloud } from '../local/boot.ts';
import { readFaults } from './dev/faults.ts';
import { watchFolder } from './dev/watch.ts';
import { node24 } from './node24.ts';
import { synthesize } from './synth.ts';

const USAGE = `Usage: npm run dev -- [--port N] [--state DIR] [--watch DIR] [--node24] [--faults FILE] [--quiet]

  --port N      of the AWS endpoint (default 4566; 0 takes any free one)
  --state DIR   where objects, rows and queues are kept (default .dropreel/dev)
  --watch DIR   files copied here are uploaded: {creator}/{collection}/{file}, or {file} alone (default dropreel-drop)
  --node24      functions and worker run on the Node that they have on AWS, brought from the npm registry
  --faults FILE what is to go wrong, as JSON: docs/faults.md
  --quiet       without the functions' and services' log
  --help        this text

Exit code: 0 ended by Ctrl-C, 1 it could not start, 2 wrong usage.
`;

const CLOUD_FILE = '.dropreel/cloud.json';
const say = (line: string) => process.stderr.write(`${line}\n`);

function parse(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string', default: '4566' },
      state: { type: 'string', default: '.dropreel/dev' },
      watch: { type: 'string', default: 'dropreel-drop' },
      node24: { type: 'boolean', default: false },
      faults: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`--port ${values.port}: not a port number`);
  return { ...values, port };
}

/** Where the command line finds the cloud that runs here. */
async function announce(cloud: Cloud): Promise<void> {
  const { endpoint, apiUrl, deliveryUrl, outputs } = cloud;
  await mkdir('.dropreel', { recursive: true });
  const text = JSON.stringify(
    { endpoint, apiUrl, deliveryUrl, issuerUrl: cloud.issuer?.url ?? null, outputs },
    null,
    2,
  );
  await writeFile(`${CLOUD_FILE}.new`, text);
  await rename(`${CLOUD_FILE}.new`, CLOUD_FILE);
}

async function run(options: ReturnType<typeof parse>): Promise<void> {
  const faults = options.faults === undefined ? undefined : await readFaults(options.faults);
  const nodePath = options.node24 ? await node24(say) : process.execPath;
  const assembly = await synthesize(say);
  await mkdir(options.state, { recursive: true });
  const cloud = await bootCloud({
    assembly,
    stateDir: options.state,
    port: options.port,
    log: options.quiet ? () => {} : say,
    nodePath,
    ...(faults && { faults }),
  });
  await announce(cloud);
  const bucket = cloud.outputs.UploadsBucket ?? '';
  const watcher = await watchFolder({
    cloud,
    folder: options.watch,
    index: join(options.state, 'watched.json'),
    log: say,
  });
  say(`
dropreel runs on this machine.
  AWS endpoint  ${cloud.endpoint}  (access key and secret: ${DEVELOPER.accessKeyId}, region ${REGION})
  HTTP API      ${cloud.apiUrl}
  delivery      ${cloud.deliveryUrl}
  drop files in ${options.watch}/, or:
    AWS_ACCESS_KEY_ID=${DEVELOPER.accessKeyId} AWS_SECRET_ACCESS_KEY=${DEVELOPER.secretAccessKey} AWS_REGION=${REGION} \\
    aws s3 cp FILE s3://${bucket}/drop/me/default/ --endpoint-url ${cloud.endpoint}
Ctrl-C ends it; its state is kept in ${options.state}/.
`);
  await new Promise<void>((done) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done());
  });
  say('ending');
  await watcher.close();
  await rm(CLOUD_FILE, { force: true });
  await cloud.close();
  const happened = new Map<number, number>();
  for (const { fault } of faults?.fired ?? []) happened.set(fault, (happened.get(fault) ?? 0) + 1);
  for (const [fault, times] of happened) say(`fault ${fault} of the plan came about: ${times}`);
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
