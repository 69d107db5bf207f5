/**
 * The local cloud's gateway and S3 alone, for bench/s3.ts: prints its endpoint and the developer's credentials as JSON. Argument: its
 * directory.
 */

import { createCalls } from '../../local/gateway/calls.ts';
import { startGateway } from '../../local/gateway/gateway.ts';
import { createCredentials } from '../../local/iam/credentials.ts';
import { createPolicies } from '../../local/iam/policies.ts';
import { Clock } from '../../local/kernel/clock.ts';
import { Meter } from '../../local/kernel/meter.ts';
import { createS3 } from '../../local/services/s3/s3.ts';

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
const credentials = await createCredentials(dir);
const gateway = await startGateway({ services: [s3.service], credentials, calls, log });
console.log(JSON.stringify({ endpoint: gateway.endpoint, ...credentials.issue({ type: 'developer' }) }));
