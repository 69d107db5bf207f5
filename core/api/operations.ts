import type { Operation } from './operation.ts';
import { archiveOperations } from './operations/archive.ts';
import { collectionsOperations } from './operations/collections.ts';
import { engineJobOperations } from './operations/engine-jobs.ts';
import { mediaOperations } from './operations/media.ts';
import { presetsOperations } from './operations/presets.ts';
import { systemOperations } from './operations/system.ts';
import { uploadsOperations } from './operations/uploads.ts';
import { webhooksOperations } from './operations/webhooks.ts';

/** Every route of the API: the router, the OpenAPI document and the tests are generated from this. */
export const OPERATIONS = {
  ...uploadsOperations,
  ...mediaOperations,
  ...collectionsOperations,
  ...presetsOperations,
  ...archiveOperations,
  ...webhooksOperations,
  ...systemOperations,
  ...engineJobOperations,
} satisfies Record<string, Operation>;

export type OperationId = keyof typeof OPERATIONS;
