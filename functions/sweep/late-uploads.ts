import { remove } from '../../aws/s3.ts';
import { apply, getRow } from '../../aws/table.ts';
import { DUE_WORK } from '../../core/contracts/table/keys.ts';
import { UploadRow } from '../../core/contracts/table/media.ts';
import { eachDue } from './due.ts';
import type { SweepServices } from './services.ts';

/**
 * Removes the very version of objects that were uploaded by a presigned URL after their upload was given up, or their media item deleted.
 */
export async function removeLateUploads(services: SweepServices): Promise<void> {
  const { table, s3, uploadsBucket, report } = services;
  await eachDue(services, DUE_WORK.lateUpload, async (key) => {
    const row = await getRow(table, key, UploadRow);
    if (row?.late === undefined) return;
    await remove(s3, { bucket: uploadsBucket, key: row.key, versionId: row.late });
    const done = {
      op: 'update' as const,
      key,
      expect: { late: row.late },
      set: {},
      remove: ['late', 'todo', 'todoAt'] as const,
    };
    await apply(table, [done]);
    report('lateUploadsRemoved');
  });
}
