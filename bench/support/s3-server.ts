/** Our gateway and S3 alone, on a free port that it prints; for bench/s3.ts. Argument: its directory. */
import { Clock } from '../../local/clock.ts';
import { createCalls } from '../../local/gateway/calls.ts';
import { startGateway } from '../../local/gateway/gateway.ts';
import { createCredentials } from '../../local/iam/credentials.ts';
import { createPolicies } from '../../local/iam/policies.ts';
import { Meter } from '../../local/meter.ts';
import { createS3 } from '../../local/s3/s3.ts';

const dir = process.argv[2] ?? '.';
const bucket = {
  name: 'bench',
  arn: 'arn:aws:s3:::bench',
  versioned: false,
  eventBridge: true,
  lifecycle: [],
  cors: [],
};
const log = (line: string) => process.stderr.write(`${line}\n`);
const s3 = await createS3({ dir, clock: new Clock(), log }, { buckets: [bucket], emit: async () => {} });
s3.start();
const calls = createCalls({ policies: createPolicies({ roles: [] }), meter: new Meter() });
const gateway = await startGateway({ services: [s3.service], credentials: await createCredentials(dir), calls, log });
console.log(gateway.endpoint);
