import { json } from 'node:stream/consumers';
import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterEach, expect, it, vi } from 'vitest';
import { jobApi } from '../../containers/transcoder/serve/api.ts';
import { presignedS3 } from '../../containers/transcoder/serve/presigned-s3.ts';
import { serve } from '../../containers/transcoder/serve/serve.ts';
import { PRESETS } from '../../core/contracts/presets.ts';
import { jobFor } from '../../core/jobs/transitions.ts';
import { listen } from '../../local/kernel/http-server.ts';
import { eventually } from '../support/cloud.ts';
import { job } from '../support/factories.ts';
import { TOOLS, temporaryDirectory } from '../support/media.ts';

afterEach(() => vi.unstubAllEnvs());

type Answers = Record<string, (url: string) => { status: number; body?: object }>;

/** An endpoint and an API in one, which answers as the test says, by the last part of a path's name; all else with 204. */
async function startServer(answers: Answers) {
  const calls: { path: string; body: unknown }[] = [];
  const server = await listen(
    async (request, response) => {
      const { pathname: path } = new URL(request.url ?? '/', server.url);
      const body: unknown = request.method === 'POST' ? await json(request).catch(() => null) : null;
      calls.push({ path, body });
      const named = Object.keys(answers).find((name) => path.includes(name)) ?? '';
      const { status, body: answer } = answers[named]?.(server.url) ?? { status: 204 };
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(answer && JSON.stringify(answer));
    },
    { port: 0, pages: 'own' },
  );
  const callsOf = (name: string) => calls.filter(({ path }) => path.includes(name));
  return { url: server.url, callsOf, [Symbol.asyncDispose]: () => server.close() };
}

const inputFor = (apiUrl: string) => ({
  ...{ job: jobFor(job(), PRESETS.standard ?? expect.fail('no preset'), 'media'), apiUrl, secret: 'whsec_c2VjcmV0' },
  hintUrl: `${apiUrl}/hint`,
});

it('a job that is over at the API is handed in at the endpoint as failed', async () => {
  await using folder = await temporaryDirectory();
  let taken = false;
  await using server = await startServer({
    'job-take': (url) => {
      const answer = taken ? { status: 204 } : { status: 200, body: { id: 'e-1', input: inputFor(url) } };
      taken = true;
      return answer;
    },
    '/urls': () => ({ status: 409 }),
    'job-done': () => ({ status: 200 }),
  });
  const environment = {
    RUNPOD_WEBHOOK_GET_JOB: `${server.url}/job-take/$ID?gpu=none`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${server.url}/job-done/$RUNPOD_POD_ID/$ID?gpu=none`,
    RUNPOD_POD_ID: 'pod',
    SCRATCH_DIR: folder.path,
    FFMPEG_PATH: TOOLS.ffmpeg,
    FFPROBE_PATH: TOOLS.ffprobe,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const served = serve();
  await eventually('the job is handed in', async () => server.callsOf('job-done').length > 0);
  process.emit('SIGTERM');
  await served;
  const error = 'the API answered 409: the job is over';
  expect(server.callsOf('job-done')).toEqual([{ path: '/job-done/pod/e-1', body: { error } }]);
  expect(server.callsOf('/hint')).toEqual([]);
});

it('a hint is given again while the submission of its job is not noted', async () => {
  const statuses = [409, 503, 200];
  await using server = await startServer({ '/hint': () => ({ status: statuses.shift() ?? 500 }) });
  await jobApi(inputFor(server.url), () => {}).hint();
  expect(statuses).toEqual([]);
});

it.each([401, 404])('a hint that is answered by HTTP %i is given once', async (status) => {
  await using server = await startServer({ '/hint': () => ({ status }) });
  await jobApi(inputFor(server.url), () => {}).hint();
  expect(server.callsOf('/hint')).toHaveLength(1);
});

it('a request to S3 is broken off, and none begins, once another machine may have the job', async () => {
  const asked: string[] = [];
  await using server = await listenSilently(asked);
  const lost = new AbortController();
  const sign = async () => ({ url: `${server.url}/media/key`, expiresAt: new Date().toISOString() });
  const s3 = presignedS3({ sign }, lost.signal);
  const head = () => s3.send(new HeadObjectCommand({ Bucket: 'media', Key: 'key' }));
  const underWay = head();
  await eventually('it is under way', async () => asked.length > 0);
  lost.abort();
  await expect(underWay).rejects.toThrow();
  await expect(head()).rejects.toThrow();
  expect(asked).toEqual(['/media/key']);
});

/** A server that answers nothing. */
async function listenSilently(asked: string[]) {
  const server = await listen(({ url = '' }) => void asked.push(new URL(url, 'http://here').pathname), {
    port: 0,
    pages: 'own',
  });
  return { url: server.url, [Symbol.asyncDispose]: () => server.close() };
}
