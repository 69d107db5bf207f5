import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Credentials, REGION } from '../../kernel/account.ts';
import type { FunctionConfiguration } from './template.ts';

/** An error as Lambda reports it to the caller. */
export interface FunctionError {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

export type InvocationOutcome = { ok: true; payload: string } | { ok: false; error: FunctionError };

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
      // Lambda's memory contains more than V8's heap; the heap's limit makes an overrun fail as on Lambda.
      execArgv: ['--enable-source-maps', `--max-old-space-size=${Math.floor(configuration.memorySize * 0.9)}`],
      env: environmentOf(options),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // Not affected by the terminal's Ctrl-C, so that the cloud can wait for the running invocation.
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
  async invoke(
    event: unknown,
    call: { requestId: string; ahead: number; functionArn: string; traceId: string },
  ): Promise<InvocationOutcome> {
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
      this.#child.send({ event, ...call, deadlineMs: timeoutMs }, (error) => {
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

const failure = (requestId: string, how: string): InvocationOutcome => ({
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
    LOCAL_CLOUD_MODULE: configuration.module,
    LOCAL_CLOUD_EXPORT: configuration.export,
    _HANDLER: `${configuration.module}.${configuration.export}`,
    // The SDK's warning about old Node versions does not apply, because Lambda runs a newer one.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    // The template's runtime, whatever Node version runs here, so that code gets the same value as on AWS.
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
