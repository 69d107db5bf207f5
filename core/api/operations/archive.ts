import { z } from 'zod';
import { ArchivePlanView, ArchiveRequest, ArchiveRunRequest, ArchiveView } from '../../contracts/http/archive.ts';
import { MediaView } from '../../contracts/http/media.ts';
import { CollectionId, MediaId } from '../../contracts/ids.ts';
import { op, owner } from '../operation.ts';

const collectionId = z.object({ id: CollectionId });
const mediaId = z.object({ id: MediaId });

export const archiveOperations = {
  getArchive: op({
    method: 'GET',
    path: '/collections/{id}/archive',
    tag: 'Archive',
    summary: "Get a collection's archive: its policy, what was saved, and what is done now",
    params: collectionId,
    query: owner,
    status: 200,
    answer: ArchiveView,
    etag: true,
    problems: ['not_found'],
  }),
  patchArchive: op({
    method: 'PATCH',
    path: '/collections/{id}/archive',
    tag: 'Archive',
    summary: 'Switch it on or off, or change its policy',
    params: collectionId,
    query: owner,
    body: ArchiveRequest,
    status: 200,
    answer: ArchiveView,
    etag: true,
    problems: ['not_found', 'conflict', 'precondition_failed'],
  }),
  planArchive: op({
    method: 'GET',
    path: '/collections/{id}/archive/plan',
    tag: 'Archive',
    summary: 'What it would do, save and cost, some media at a time; changes nothing',
    params: collectionId,
    query: owner.extend({ cursor: z.string().max(1000).optional() }),
    status: 200,
    answer: ArchivePlanView,
    problems: ['not_found', 'invalid_cursor'],
  }),
  runArchive: op({
    method: 'POST',
    path: '/collections/{id}/archive/run',
    tag: 'Archive',
    summary: 'Look at it within minutes, and not only when its window opens',
    params: collectionId,
    query: owner,
    body: ArchiveRunRequest,
    status: 202,
    answer: ArchiveView,
    problems: ['not_found', 'wrong_state', 'conflict'],
  }),
  archiveMedia: op({
    method: 'POST',
    path: '/media/{id}/archive',
    tag: 'Archive',
    summary: 'Archive the original of one media item, whatever its age, the window, or an earlier refusal',
    params: mediaId,
    status: 202,
    answer: MediaView,
    problems: ['not_found', 'wrong_state', 'conflict'],
  }),
  restoreOriginal: op({
    method: 'POST',
    path: '/media/{id}/archive/restore',
    tag: 'Archive',
    summary: 'Put an archived original back, until its day',
    params: mediaId,
    status: 200,
    answer: MediaView,
    problems: ['not_found', 'wrong_state', 'original_deleted', 'conflict'],
  }),
};
