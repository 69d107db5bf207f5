/**
 * JSON-RPC over the input and output of a child process, as in MCP's stdio transport: one message a line.
 * https://modelcontextprotocol.io/specification/2025-03-26/basic/transports#stdio
 */
import type { ChildProcess } from 'node:child_process';
import { z } from 'zod';

const VERSION = '2025-03-26';

const Message = z.object({
  id: z.number().optional(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
});
const Tools = z.object({
  tools: z.array(
    z.object({
      name: z.string(),
      inputSchema: z.object({ properties: z.record(z.string(), z.unknown()).default({}) }),
    }),
  ),
});
const Called = z.object({
  content: z.array(z.object({ type: z.literal('text'), text: z.string() })),
  isError: z.boolean().default(false),
});

/** The answer of a tool: its text, usually JSON. */
export interface ToolAnswer {
  text: string;
  isError: boolean;
}

export interface Session {
  /** The arguments that each tool accepts, by tool name. */
  tools: ReadonlyMap<string, ReadonlySet<string>>;
  /** @throws Error when the process ends before it answers, or refuses the message itself */
  call(tool: string, args: object): Promise<ToolAnswer>;
}

/** @throws Error when the process ends before it is ready */
export async function openSession(child: ChildProcess): Promise<Session> {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('the process has no pipes');
  const waiting = new Map<number, { resolve: (result: unknown) => void; reject: (error: Error) => void }>();
  let last = 0;

  function receive(line: string): void {
    const { id, result, error } = Message.parse(JSON.parse(line));
    const asked = id === undefined ? undefined : waiting.get(id);
    if (id === undefined || !asked) return;
    waiting.delete(id);
    if (error) asked.reject(new Error(error.message));
    else asked.resolve(result);
  }
  function fail(error: Error): void {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  }
  const lines = splitLines(receive);
  stdout.on('data', (chunk: Buffer) => {
    try {
      lines(chunk);
    } catch (error) {
      // Later messages can't be separated any more.
      fail(new Error(`the database answered something that is not a message: ${String(error)}`));
      child.kill('SIGKILL');
    }
  });
  child.once('close', () => fail(new Error('the database ended')));
  // The `close` event reports the end of the process.
  stdin.on('error', () => {});

  const send = (message: object) => stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const ask = (method: string, params: object) =>
    new Promise<unknown>((resolve, reject) => {
      if (child.exitCode !== null || child.signalCode !== null) return reject(new Error('the database has ended'));
      last += 1;
      waiting.set(last, { resolve, reject });
      send({ id: last, method, params });
    });

  const clientInfo = { name: 'local-cloud', version: '1' };
  await ask('initialize', { protocolVersion: VERSION, capabilities: {}, clientInfo });
  send({ method: 'notifications/initialized' });
  const { tools } = Tools.parse(await ask('tools/list', {}));
  return {
    tools: new Map(tools.map(({ name, inputSchema }) => [name, new Set(Object.keys(inputSchema.properties))])),
    async call(tool, args) {
      const { content, isError } = Called.parse(await ask('tools/call', { name: tool, arguments: args }));
      return { text: content.map(({ text }) => text).join(''), isError };
    },
  };
}

/** Splits chunks into lines. A line ends with a line feed only: JSON may contain U+2028, at which readline would split. */
function splitLines(take: (line: string) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  return (chunk) => {
    let from = 0;
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...pieces, chunk.subarray(from, at)]).toString('utf8');
      pieces = [];
      from = at + 1;
      if (line.trim() !== '') take(line);
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from));
  };
}
