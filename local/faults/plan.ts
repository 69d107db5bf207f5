import { z } from 'zod';

/** Faults as plain data: the same plan on the same run has the same effect. */

/** Which of the matching ones, counted from 1 in their order; `every` for all. */
const Nth = z.union([z.number().int().positive(), z.array(z.number().int().positive()), z.literal('every')]);

/** Part of a caller's name: a role's ARN, a service's name, `developer` or `anonymous`. */
const Principal = z.string();

/** Actions on running jobs, functions and the cloud, whatever triggers them. */
const STRIKES = [
  z.strictObject({
    type: z.literal('kill'),
    /** How running jobs end: see StopCause in services/batch/attempt.ts. */
    cause: z.enum(['SIGKILL', 'reclaim', 'host-lost', 'out-of-memory', 'terminate']),
  }),
  /** Fills the disks of running jobs, which need a `disk` of the plan. */
  z.strictObject({ type: z.literal('fill-disk') }),
  /** Kills the processes of the functions whose name contains this text, like a time-out or a failing host. */
  z.strictObject({ type: z.literal('stop-function'), name: z.string() }),
  /** Crashes the whole local cloud, as if its process had been killed. */
  z.strictObject({ type: z.literal('crash') }),
] as const;
const Strike = z.discriminatedUnion('type', [...STRIKES]);
export type Strike = z.output<typeof Strike>;

const Delay = z.strictObject({ type: z.literal('delay'), ms: z.number().int().nonnegative() });

const CallFault = z.strictObject({
  call: z.strictObject({
    /** `s3` */
    service: z.string(),
    /** `PutObject`; any when left out. */
    operation: z.string().optional(),
    principal: Principal.optional(),
  }),
  nth: Nth,
  /** Before the call takes effect, or after it but before the caller gets the answer. */
  moment: z.enum(['before', 'after']).default('before'),
  do: z.discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('fail'),
      code: z.string(),
      status: z.number().int().min(400).max(599),
      message: z.string().default('A fault of the plan'),
    }),
    /** Fails with the service's own throttling error. */
    z.strictObject({ type: z.literal('throttle') }),
    Delay,
    ...STRIKES,
  ]),
});

const EventFault = z.strictObject({
  event: z.strictObject({
    source: z.string().optional(),
    'detail-type': z.string().optional(),
    /** Fields that the event's detail has, with these values. */
    detail: z.record(z.string(), z.unknown()).default({}),
    /** Part of the target's ARN. */
    target: z.string().optional(),
  }),
  nth: Nth,
  do: z.discriminatedUnion('type', [
    /** It never arrives, and no error is reported. */
    z.strictObject({ type: z.literal('drop') }),
    z.strictObject({ type: z.literal('duplicate') }),
    /** It arrives after the next matching one; after 5 s when there is none. */
    z.strictObject({ type: z.literal('reorder') }),
    Delay,
    ...STRIKES,
  ]),
});

/** Applies once so many bytes of objects have gone to (`pushed`) or come from (`pulled`) S3, all requests together. */
const BytesFault = z.strictObject({
  bytes: z.strictObject({
    direction: z.enum(['pulled', 'pushed']),
    principal: Principal.optional(),
    at: z.number().int().positive(),
  }),
  /** The current request is cut at that byte when its caller, or the cloud, is dead. */
  do: Strike,
});

/** Resources that a job attempt lacks, whatever its job definition says. */
const AttemptFault = z.strictObject({
  /** Which attempt, of all jobs together, in the order of their starts. */
  attempt: Nth,
  do: z.discriminatedUnion('type', [
    z.strictObject({ type: z.literal('memory'), MiB: z.number().int().positive() }),
    /** Its scratch disk holds this many bytes and is removed with the attempt. Linux only, see services/batch/small-disk.ts. */
    z.strictObject({ type: z.literal('disk'), bytes: z.number().int().positive() }),
  ]),
});

export const FaultPlan = z
  .array(z.union([CallFault, EventFault, BytesFault, AttemptFault]))
  .refine((plan) => !plan.some((it) => it.do.type === 'fill-disk') || plan.some((it) => it.do.type === 'disk'), {
    message: "fill-disk needs a disk of the job's own: { attempt: 'every', do: { type: 'disk', bytes: … } }",
  });
export type FaultPlan = z.input<typeof FaultPlan>;
export type CallFault = z.output<typeof CallFault>;
export type EventFault = z.output<typeof EventFault>;
export type BytesFault = z.output<typeof BytesFault>;

export function isDue(nth: z.infer<typeof Nth>, count: number): boolean {
  return nth === 'every' || (Array.isArray(nth) ? nth.includes(count) : nth === count);
}
