import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { secretReader } from '../../aws/secrets.ts';
import { EngineHint } from '../../core/contracts/events.ts';
import type { HttpInput } from '../../core/contracts/http/engine-jobs.ts';
import { askEach } from '../ask-each.ts';
import { withBlock } from '../blocked.ts';
import { type Engine, engineKind } from '../engine.ts';
import { Endpoint } from './client.ts';
import { HttpEnv } from './names.ts';
import { policyFor } from './policy.ts';
import { estimate, priceOf } from './price.ts';
import { blockOf, stateOf } from './states.ts';

/** A changed key is in use after this time. */
const KEY_LIFE_MS = 5 * 60_000;
/** The endpoint takes 2000 calls in 10 s, and 400 at once. */
const AT_ONCE = 10;

/** `http`: the worker's image behind a RunPod-compatible endpoint. */
export const http = engineKind({
  environment: HttpEnv,
  priceOf,
  connect: (env) => {
    const key = secretReader(new SecretsManagerClient({}), env.HTTP_ENGINE_SECRET, KEY_LIFE_MS);
    return connectHttp(env.HTTP_ENGINE_API_URL, new Endpoint(env.HTTP_ENGINE_URL, key));
  },
});

/** @param apiUrl of this deployment */
export function connectHttp(apiUrl: string, endpoint: Endpoint): Engine {
  return {
    title: 'the HTTP endpoint',
    // An earlier call may have succeeded, and the endpoint cannot be asked by a name: a second worker finds the claim and ends.
    async submit({ job, info, access }) {
      const { secret, hintToken } = await access();
      const hintUrl = `${apiUrl}/engine-jobs/${job.jobId}/hint?token=${hintToken}`;
      return endpoint.run({
        input: { job, apiUrl, secret, hintUrl } satisfies HttpInput,
        webhook: hintUrl,
        policy: policyFor(job, info),
      });
    },
    async describe(ids) {
      const states = await askEach(ids, AT_ONCE, async (id) => stateOf(await endpoint.status(id)));
      return withBlock(states, async () => blockOf(await endpoint.health()));
    },
    cancel: (id) => endpoint.cancel(id),
    async read(message) {
      const { success, data } = EngineHint.safeParse(message);
      if (!success) return null;
      const { jobId, engineJobId } = data.detail;
      const state = stateOf(await endpoint.status(engineJobId));
      if (state.kind === 'ended') return { kind: 'ended', jobId, engineJobId, end: state.end };
      if (state.kind === 'running') return { kind: 'running', jobId, engineJobId };
      return { kind: 'nothing', why: `the endpoint was asked: the job is ${state.kind}` };
    },
    async look() {
      const { jobs, workers } = await endpoint.health();
      const atWork = jobs.inProgress + workers.running + workers.initializing > 0;
      return { queues: [{ queue: 'the endpoint', atWork, waiting: jobs.inQueue, blockedBy: null }], broken: [] };
    },
    // A job whose worker is lost is delivered to another one by the endpoint.
    needsOnDemand: () => false,
    estimate,
  };
}
