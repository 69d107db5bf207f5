import { z } from 'zod';
import { AwsError } from '../../kernel/service.ts';
import { isRecord, type Json } from '../../template/json.ts';
import type { Answer } from './database.ts';
import { invalid } from './operations.ts';
import type { Session, ToolAnswer } from './stdio.ts';

/** Maps DynamoDB's calls to dynoxide's tools, which have names in snake case and their own error format. */

/**
 * @param target `DynamoDB_20120810.PutItem`.
 * @throws AwsError ValidationException for a parameter that the tool does not have
 */
export async function callTool(session: Session, target: string, input: unknown): Promise<Answer> {
  const operation = target.slice(target.indexOf('.') + 1);
  const tool = snakeCase(operation);
  const known = session.tools.get(tool);
  if (!known) throw invalid(`${operation} is not served by this local DynamoDB`);
  const given: Json = isRecord(input) ? { ...input } : {};
  refuseLossy(given);
  if (tool === 'query' || tool === 'scan') {
    // Every read is consistent here. On AWS, reads of an index never are.
    if (given.ConsistentRead === true && given.IndexName !== undefined) {
      throw invalid('Consistent reads are not supported on global secondary indexes');
    }
    delete given.ConsistentRead;
  }
  const args = Object.fromEntries(Object.entries(given).map(([name, value]) => [snakeCase(name), value]));
  for (const name of Object.keys(given)) {
    if (!known.has(snakeCase(name))) throw invalid(`${name} of ${operation} is not served by this local DynamoDB`);
  }
  // Without `raw` a table's description is prose.
  if (known.has('raw')) args.raw = true;
  return asAnswer(await session.call(tool, args));
}

function snakeCase(name: string): string {
  return name.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}

/** Refuses options that the tools accept and then ignore in their errors. */
function refuseLossy(given: Json): void {
  const members = Array.isArray(given.TransactItems) ? given.TransactItems.filter(isRecord).flatMap(Object.values) : [];
  for (const asked of [given, ...members.filter(isRecord)]) {
    if (asked.ReturnValuesOnConditionCheckFailure === 'ALL_OLD') {
      throw invalid('ReturnValuesOnConditionCheckFailure ALL_OLD is not served by this local DynamoDB');
    }
  }
}

const Failure = z.object({ error_type: z.string(), message: z.string() });

function asAnswer({ text, isError }: ToolAnswer): Answer {
  if (!isError) return { status: 200, body: text };
  const failure = Failure.safeParse(parse(text)).data;
  // For unreadable parameters the error is prose.
  const { error_type: code, message } = failure ?? { error_type: 'SerializationException', message: text };
  const reasons = code === 'TransactionCanceledException' ? { CancellationReasons: reasonsOf(message) } : {};
  const body = { __type: `com.amazonaws.dynamodb.v20120810#${code}`, message, ...reasons };
  return { status: code === 'InternalServerError' ? 500 : 400, body: JSON.stringify(body) };
}

/** The reasons that the message lists as `[ConditionalCheckFailed, None]`, one for each member, in order. */
function reasonsOf(message: string): { Code: string; Message?: string }[] {
  const text = message.trimEnd();
  const start = text.lastIndexOf('[') + 1;
  if (start === 0 || !text.endsWith(']')) {
    throw new AwsError('InternalServerError', 500, `no reasons in: ${message}`);
  }
  return text
    .slice(start, -1)
    .split(', ')
    .map((Code) => ({
      Code,
      ...(Code === 'ConditionalCheckFailed' && { Message: 'The conditional request failed' }),
    }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
