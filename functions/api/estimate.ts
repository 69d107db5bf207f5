import { getCollection } from '../../aws/table.ts';
import { queryMedia } from '../../aws/table-queries.ts';
import { creatorFor } from '../../core/api/caller.ts';
import { AUTO } from '../../core/contracts/engines.ts';
import type { Estimate } from '../../core/contracts/http/estimate.ts';
import { DEFAULT_PRESET, type Preset } from '../../core/contracts/presets.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { ExperienceRow } from '../../core/contracts/table/engines.ts';
import type { MediaRow, SourceInfo } from '../../core/contracts/table/media.ts';
import { classOf } from '../../core/jobs/experience.ts';
import { secondsOf } from '../../core/jobs/quota.ts';
import { isOutdatedBy } from '../../core/jobs/roll-out.ts';
import { presumed } from '../../core/media/estimate.ts';
import { mostBytes } from '../../core/media/plan.ts';
import { type Choice, choose } from '../../engines/choose.ts';
import { PRICES_OF } from '../shared/cost.ts';
import { engineOf, readPreset } from '../shared/encoding.ts';
import { conditionOf, type Expected, expectations, experienceWith } from '../shared/expectations.ts';
import type { ApiCall, ApiServices, Route } from './call.ts';
import { loadCollection, loadMedia, requirePreset } from './load.ts';

/** Media of a collection that are looked at: some ten reads of a hundred. */
const MOST_MEDIA = 1000;
const PAGE = 100;

interface Wanted {
  source: SourceInfo;
  preset: Preset;
  /** Of its present version. */
  bytes: number;
  /** An EngineChoice. */
  engine: string;
  deadlineMinutes: number | undefined;
}

/** What the encodes would take on each engine, and which one would have them. Nothing is changed. */
export const estimate: Route<'estimate'> = async (call, services) => {
  const { wanted, complete } = await whatIsWanted(call, services);
  const experience = new Map<string, ExperienceRow | null>();
  const condition = await conditionOf(services.table, services.engines, call.now);
  const sum = new Sum(PRICES_OF, complete);
  for (const { source, preset, bytes, engine, deadlineMinutes } of wanted) {
    sum.addBytes(bytes, mostBytes(source, preset));
    const of = classOf(source);
    if (!experience.has(of)) experience.set(of, await experienceWith(services.table, source));
    const deadline = deadlineMinutes === undefined ? undefined : deadlineMinutes * 60;
    const known = experience.get(of) ?? null;
    const expected = expectations(services.engines, condition, known, { source, preset, deadline });
    const named = { engine, reason: 'It is named by the upload or its collection.' };
    sum.add(expected, engine === AUTO ? choose(expected, deadline) : named);
  }
  return { body: sum.answer };
};

async function whatIsWanted(
  { caller, body }: Pick<ApiCall<'estimate'>, 'caller' | 'body'>,
  services: ApiServices,
): Promise<{ wanted: Wanted[]; complete: boolean }> {
  const { table } = services;
  /** The one that is asked for, or else that of the collection. */
  const presetFor = async (creatorId: string, collection: CollectionRow | null): Promise<Preset> => {
    if (body.preset !== undefined) await requirePreset(services, creatorId, body.preset);
    return readPreset(table, creatorId, body.preset ?? collection?.preset ?? DEFAULT_PRESET);
  };
  const of = (media: MediaRow, collection: CollectionRow | null, preset: Preset): Wanted => {
    const source = presumed(media.sourceInfo ?? {}, secondsOf(media.sourceInfo, media.source.size));
    const deadlineMinutes = body.deadlineMinutes ?? collection?.deadlineMinutes ?? undefined;
    const bytes = media.current?.bytes ?? 0;
    return { source, preset, bytes, engine: engineOf(collection, media), deadlineMinutes };
  };
  if (body.mediaId !== undefined) {
    const media = await loadMedia(services, caller, body.mediaId);
    const collection = await getCollection(table, media.creatorId, media.collectionId);
    const preset = await presetFor(media.creatorId, collection);
    return { wanted: [of(media, collection, preset)], complete: true };
  }
  if (body.collectionId !== undefined) {
    const creatorId = creatorFor(caller, body.creatorId);
    const by = { creatorId, collectionId: body.collectionId };
    const collection = await loadCollection(services, {
      caller,
      params: { id: by.collectionId },
      query: { creatorId },
    });
    const preset = await presetFor(creatorId, collection);
    const wanted: Wanted[] = [];
    let looked = 0;
    let after: Record<string, unknown> | undefined;
    do {
      const page = await queryMedia(table, by, { limit: PAGE, after });
      const media = body.outdated ? page.items.filter((item) => isOutdatedBy(preset, item)) : page.items;
      looked += page.items.length;
      wanted.push(...media.map((item) => of(item, collection, preset)));
      after = page.next;
    } while (after && looked < MOST_MEDIA);
    return { wanted, complete: after === undefined };
  }
  const { sizeBytes, ...known } = body.file ?? {};
  const source = sizeBytes === undefined ? known : presumed(known, secondsOf(known, sizeBytes));
  const preset = await presetFor(creatorFor(caller, body.creatorId), null);
  const { deadlineMinutes } = body;
  return { wanted: [{ source, preset, bytes: 0, engine: AUTO, deadlineMinutes }], complete: true };
}

/** Adds the estimates of several media up. */
class Sum {
  readonly answer: Estimate;

  constructor(region: string, complete: boolean) {
    this.answer = { region, media: 0, complete, bytes: { present: 0, most: 0 }, engines: [], choice: [] };
  }

  addBytes(present: number, most: number): void {
    this.answer.bytes.present += present;
    this.answer.bytes.most += most;
  }

  add(expected: readonly Expected[], { engine, reason }: Choice): void {
    const { choice } = this.answer;
    this.answer.media += 1;
    for (const one of expected) this.#addEngine(one);
    let chosen = choice.find((group) => group.engine === engine && group.reason === reason);
    if (!chosen) {
      chosen = { engine, reason, media: 0, seconds: 0, usd: 0 };
      choice.push(chosen);
    }
    chosen.media += 1;
    const its = expected.find((one) => one.engine === engine)?.estimate;
    if (its && !('unfit' in its)) addAmounts(chosen, its);
  }

  #addEngine({ engine, estimate, jobs }: Expected): void {
    let sum = this.answer.engines.find((one) => one.engine === engine);
    if (!sum) {
      sum = { engine, media: 0, seconds: 0, usd: 0, jobs, unfit: [] };
      this.answer.engines.push(sum);
    }
    sum.jobs = Math.min(sum.jobs, jobs);
    if (!('unfit' in estimate)) {
      sum.media += 1;
      addAmounts(sum, estimate);
      return;
    }
    const same = sum.unfit.find(({ why }) => why === estimate.unfit);
    if (same) same.media += 1;
    else sum.unfit.push({ why: estimate.unfit, media: 1 });
  }
}

function addAmounts(to: { seconds: number; usd: number }, { seconds, usd }: { seconds: number; usd: number }): void {
  to.seconds += seconds;
  to.usd += usd;
}
