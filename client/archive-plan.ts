import type { ArchivePlanView } from '../core/contracts/http/archive.ts';
import type { Client } from './client.ts';

export type ArchivePlan = Omit<ArchivePlanView, 'next'>;

/** All pages of a plan. */
export async function wholePlan(api: Client, id: string): Promise<ArchivePlan> {
  let plan: ArchivePlan | undefined;
  let cursor: string | undefined;
  do {
    const { next, ...page } = await api.call('planArchive', { id, ...(cursor !== undefined && { cursor }) });
    plan = plan ? added(plan, page) : page;
    cursor = next ?? undefined;
  } while (cursor !== undefined);
  return plan;
}

function added(a: ArchivePlan, b: ArchivePlan): ArchivePlan {
  const ways = a.ways.map((one) => {
    const other = b.ways.find(({ way }) => way === one.way);
    if (!other) return one;
    return { way: one.way, chosen: one.chosen + other.chosen, ...sumOf(one, other) };
  });
  const total = sumOf(a.total, b.total);
  return { files: a.files + b.files, bytes: a.bytes + b.bytes, savedPart: a.savedPart, ways, total };
}

function sumOf(a: ArchivePlan['total'], b: ArchivePlan['total']): ArchivePlan['total'] {
  return {
    ...{ files: a.files + b.files, cost: a.cost + b.cost },
    ...{ savedBytes: a.savedBytes + b.savedBytes, savedPerMonth: a.savedPerMonth + b.savedPerMonth },
  };
}
