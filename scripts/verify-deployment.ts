/**
 * `npm run verify-deployment`: checks on a deployment what dropreel promises, for a few cents, and leaves nothing behind.
 * docs/operating.md, "Verify".
 */
import { parseArgs } from 'node:util';
import { awsTarget, clientCredentials } from './verify/aws.ts';
import { localTarget } from './verify/local.ts';
import { CHECKS, type Finding, verify } from './verify/verify.ts';

const USAGE = `Usage: npm run verify-deployment -- [--stack NAME] [--profile P] [--region R] [--only A,B] [--json]
       npm run verify-deployment -- --local

  --stack NAME   the stack (default Dropreel)
  --profile P    of ~/.aws, whose credentials may do what an administrator may (default: as the AWS command finds them)
  --region R     of the stack (default: the profile's)
  --only A,B     some of: ${CHECKS.map(({ name }) => name).join(', ')}
  --local        the local cloud that \`npm run dev\` runs, instead of AWS
  --json         one JSON line per check on stdout

On AWS it needs an operator: DROPREEL_CLIENT=ID:SECRET of a machine with the scope dropreel/operator, or DROPREEL_TOKEN.
It takes about an hour, most of it waiting for AWS Batch and for sweep, and costs less than 0.50 USD.

Exit code: 0 everything holds or was skipped, 1 something does not hold, 2 wrong usage.
`;

const say = (line: string) => process.stderr.write(`${line}\n`);

function parse(argv: string[]) {
  const { values } = parseArgs({
    args: argv,
    options: {
      stack: { type: 'string', default: 'Dropreel' },
      profile: { type: 'string' },
      region: { type: 'string' },
      only: { type: 'string' },
      local: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const names = values.only?.split(',') ?? CHECKS.map(({ name }) => name);
  const unknown = names.find((name) => !CHECKS.some((check) => check.name === name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such check`);
  return { ...values, checks: CHECKS.filter(({ name }) => names.includes(name)) };
}

function tokens() {
  const { DROPREEL_TOKEN, DROPREEL_CLIENT } = process.env;
  if (DROPREEL_TOKEN) return () => Promise.resolve(DROPREEL_TOKEN);
  if (DROPREEL_CLIENT) return clientCredentials(DROPREEL_CLIENT);
  throw new Error('DROPREEL_CLIENT=ID:SECRET or DROPREEL_TOKEN is needed: the checks call the API as an operator');
}

const MARKS = { holds: '✓', fails: '✗', skipped: '–' } as const;

async function main(argv: string[]): Promise<number> {
  let options: ReturnType<typeof parse>;
  let token: ReturnType<typeof tokens> | undefined;
  try {
    options = parse(argv);
    token = options.local || options.help ? undefined : tokens();
  } catch (error) {
    process.stderr.write(`verify-deployment: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const { profile, region, stack, json, checks } = options;
  const config = { ...(profile && { profile }), ...(region && { region }) };
  const report = ({ check, result, detail, promise }: Finding) => {
    if (json) process.stdout.write(`${JSON.stringify({ check, result, promise, detail })}\n`);
    else say(`${MARKS[result]} ${promise}\n    ${detail}`);
  };
  try {
    const target = token ? await awsTarget(config, stack, token) : await localTarget();
    const findings = await verify(target, checks, report, say);
    const failed = findings.filter(({ result }) => result === 'fails').length;
    say(failed === 0 ? 'Everything that was tried holds.' : `${failed} of ${findings.length} do not hold.`);
    return failed === 0 ? 0 : 1;
  } catch (error) {
    say(`verify-deployment: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
