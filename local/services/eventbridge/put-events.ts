import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import { AwsError } from '../../kernel/service.ts';
import { isRecord } from '../../template/json.ts';
import { busName } from './template.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html; an entry of 1 MB since January 2026. */
const MAX_ENTRIES = 10;
const MAX_BYTES = 1_048_576;

const Entry = z.object({
  Source: z.string().optional(),
  DetailType: z.string().optional(),
  Detail: z.string().optional(),
  /** Seconds since the epoch. */
  Time: z.number().optional(),
  Resources: z.array(z.string()).default([]),
  EventBusName: z.string().default('default'),
  TraceHeader: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;

const Input = z.object({ Entries: z.array(Entry).default([]) });

export type EntryOutcome = { id: string; bus: string; event: object } | { ErrorCode: string; ErrorMessage: string };

/** The bus and the condition keys of PutEvents for an entry's permission. */
interface Claim {
  bus: string;
  keys: Record<string, string | readonly string[]>;
}

/**
 * The entries of a PutEvents request: for each its event, or the reason for its refusal.
 * @throws AwsError ValidationException for the request as a whole
 */
export function readEntries(input: unknown, now: number): { claims: Claim[]; outcomes: EntryOutcome[] } {
  const parsed = Input.safeParse(input);
  if (!parsed.success) throw validation(z.prettifyError(parsed.error));
  const { Entries } = parsed.data;
  if (Entries.length === 0 || Entries.length > MAX_ENTRIES) {
    throw validation(
      `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${
        Entries.length === 0 ? 'greater than or equal to 1' : `less than or equal to ${MAX_ENTRIES}`
      }`,
    );
  }
  if (Entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > MAX_BYTES) {
    throw validation('Total size of the entries in the request is over the limit.');
  }
  return {
    claims: Entries.map(({ EventBusName, Source, DetailType }) => ({
      bus: busName(EventBusName),
      keys: { ...(Source && { 'events:source': [Source] }), ...(DetailType && { 'events:detail-type': DetailType }) },
    })),
    outcomes: Entries.map((entry) => outcomeOf(entry, now)),
  };
}

function outcomeOf(entry: Entry, now: number): EntryOutcome {
  const required = (['Source', 'DetailType', 'Detail'] as const).find((name) => !entry[name]);
  if (required) {
    return {
      ErrorCode: 'InvalidArgument',
      ErrorMessage: `Parameter ${required} is not valid. Reason: ${required} is a required argument.`,
    };
  }
  if (entry.Source?.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  let detail: unknown;
  try {
    detail = JSON.parse(entry.Detail ?? '');
  } catch {
    detail = undefined;
  }
  if (!isRecord(detail)) return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  const { Source: source = '', DetailType: detailType = '', Resources: resources } = entry;
  const time = entry.Time === undefined ? now : entry.Time * 1000;
  return {
    bus: busName(entry.EventBusName),
    ...envelope({ source, 'detail-type': detailType, resources, time: new Date(time).toISOString(), detail }),
  };
}

/** The event as targets receive it, with an id. EventBridge's times have no fraction of a second. */
export function envelope(event: {
  source: string;
  'detail-type': string;
  resources: string[];
  time: string;
  detail: unknown;
}): { id: string; event: object } {
  const id = randomUUID();
  return {
    id,
    event: {
      version: '0',
      id,
      'detail-type': event['detail-type'],
      source: event.source,
      account: ACCOUNT_ID,
      time: event.time.replace(/\.\d+Z$/, 'Z'),
      region: REGION,
      resources: event.resources,
      detail: event.detail,
    },
  };
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-putevent-size */
function sizeOf({ Time, Source = '', DetailType = '', Detail = '', Resources }: Entry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return (Time === undefined ? 0 : 14) + texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}

function validation(message: string): AwsError {
  return new AwsError('ValidationException', 400, message);
}
