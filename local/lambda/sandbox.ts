import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Credentials, REGION } from '../account.ts';
import type { FunctionConfiguration } from './template.ts';

/** An error as Lambda reports it to whoever invoked. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export type Outcome = { ok: true; payload: string } | { ok: false; error: FunctionError };

type Answer =
  | { type: 'ready' }
  | { type: 'broken'; error: FunctionError }
  | { type: 'result'; payload: string }
  | { type: 'error'; error: FunctionError };

export interface SandboxOptions {
  configuration: FunctionConfiguration;
  endpoint: string;
  credentials: Credentials;
  nodePath: string;
  log: (line: string) => void;
}

const BOOTSTRAP = join(import.meta.dirname, 'bootstrap.mjs');

/** One execution environment of a function: a Node process that serves one invocation at a time. */
export class Sandbox {
  readonly #child: ChildProcess;
  readonly #configuration: FunctionConfiguration;
  readonly #started: Promise<Answer>;
  #waiting: ((answer: Answer | { type: 'gone'; how: string }) => void) | undefined;
  #gone = false;
  idleSince = Date.now();

  constructor(options: SandboxOptions) {
    const { configuration, log } = options;
    this.#configuration = configuration;
    this.#child = fork(BOOTSTRAP, {
      execPath: options.nodePath,
      // Lambda's memory holds more than V8's heap; the heap's limit makes an overrun fail as it does there.
      execArgv: ['--enable-source-maps', `--max-old-space-size=${Math.floor(configuration.memorySize * 0.9)}`],
      env: environmentOf(options),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Out of reach of the terminal's Ctrl-C: the cloud lets it end what it is at.
      detached: true,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream)
        createInterface({ input: stream as Readable }).on('line', (line) => log(`${configuration.name}: ${line}`));
    }
    this.#started = new Promise((resolve) => {
      this.#waiting = (answer) => resolve(answer.type === 'gone' ? brokenBy(answer.how) : answer);
    });
    this.#child.on('message', (answer: Answer) => this.#settle(answer));
    this.#child.on('error', (error) => this.#end(`error: ${error.message}`));
    this.#child.on('exit', (code, signal) =>
      this.#end(signal ? `signal: ${signalName(signal)}` : `exit status ${code}`),
    );
  }

  get alive(): boolean {
    return !this.#gone;
  }

  /** Runs the handler; after `timeoutMs` the process is killed, as Lambda does. Never throws. */
  async invoke(event: unknown, call: { requestId: string; ahead: number; functionArn: string }): Promise<Outcome> {
    const started = await this.#started;
    if (started.type === 'broken') {
      this.kill();
      return { ok: false, error: started.error };
    }
    if (this.#gone) return failure(call.requestId, 'exit status 1');
    const timeoutMs = this.#configuration.timeoutSeconds * 1000;
    const answer = await new Promise<Answer | { type: 'gone'; how: string }>((resolve) => {
      const timer = setTimeout(() => {
        resolve({ type: 'gone', how: 'timeout' });
        this.kill();
      }, timeoutMs);
      this.#waiting = (value) => {
        clearTimeout(timer);
        resolve(value);
      };
      const traceId = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${call.requestId.replaceAll('-', '').slice(0, 24)};Sampled=0`;
      this.#child.send({ event, ...call, deadlineMs: timeoutMs, traceId }, (error) => {
        if (error) this.#end(`error: ${error.message}`);
      });
    });
    this.#waiting = undefined;
    this.idleSince = Date.now();
    if (answer.type === 'result') return { ok: true, payload: answer.payload };
    if (answer.type === 'error' || answer.type === 'broken') return { ok: false, error: answer.error };
    if (answer.type === 'gone' && answer.how === 'timeout') {
      const seconds = this.#configuration.timeoutSeconds.toFixed(2);
      return {
        ok: false,
        error: {
          errorType: 'Sandbox.Timedout',
          errorMessage: `RequestId: ${call.requestId} Error: Task timed out after ${seconds} seconds`,
        },
      };
    }
    return failure(call.requestId, answer.type === 'gone' ? answer.how : 'exit status 1');
  }

  kill(): void {
    this.#gone = true;
    this.#child.kill('SIGKILL');
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(answer);
  }

  #end(how: string): void {
    this.#gone = true;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.({ type: 'gone', how });
  }
}

const signalName = (signal: string) => (signal === 'SIGKILL' ? 'killed' : signal);

const brokenBy = (how: string): Answer => ({
  type: 'broken',
  error: { errorType: 'Runtime.ExitError', errorMessage: `Error: Runtime exited with error: ${how}` },
});

const failure = (requestId: string, how: string): Outcome => ({
  ok: false,
  error: {
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}`,
  },
});

function environmentOf({ configuration, endpoint, credentials }: SandboxOptions): Record<string, string> {
  const { name } = configuration;
  return {
    ...configuration.environment,
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    LAMBDA_TASK_ROOT: configuration.directory,
    LAMBDA_RUNTIME_DIR: import.meta.dirname,
    DROPREEL_MODULE: configuration.module,
    DROPREEL_EXPORT: configuration.export,
    _HANDLER: `${configuration.module}.${configuration.export}`,
    // The SDK's word on old Nodes is for those who deploy, and Lambda runs a new one.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    // The template's, whichever Node runs it here: code sees what it will see on AWS.
    AWS_EXECUTION_ENV: `AWS_Lambda_${configuration.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.memorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(credentials.sessionToken && { AWS_SESSION_TOKEN: credentials.sessionToken }),
  };
}
