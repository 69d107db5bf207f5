import { z } from 'zod';
import { MediaView } from '../../contracts/http/media.ts';
import { PartsRequest, Upload, UploadPartList, UploadRequest } from '../../contracts/http/uploads.ts';
import { MediaId } from '../../contracts/ids.ts';
import { op } from '../operation.ts';

const mediaId = z.object({ id: MediaId });

export const uploadsOperations = {
  createUpload: op({
    method: 'POST',
    path: '/uploads',
    tag: 'Uploads',
    summary: 'Announce a file, and get the URLs to PUT it to',
    body: UploadRequest,
    status: 201,
    answer: Upload,
    problems: ['too_large', 'type_not_allowed', 'conflict', 'quota_exceeded'],
  }),
  getUpload: op({
    method: 'GET',
    path: '/uploads/{id}',
    tag: 'Uploads',
    summary: 'Get the state of an upload: which parts have arrived, and new URLs for the others',
    params: mediaId,
    status: 200,
    answer: Upload,
    problems: ['not_found'],
  }),
  createUploadParts: op({
    method: 'POST',
    path: '/uploads/{id}/parts',
    tag: 'Uploads',
    summary: 'Get URLs for parts',
    params: mediaId,
    body: PartsRequest,
    status: 200,
    repeatable: true,
    answer: UploadPartList,
    problems: ['not_found', 'upload_closed'],
  }),
  completeUpload: op({
    method: 'POST',
    path: '/uploads/{id}/complete',
    tag: 'Uploads',
    summary: 'Report that all bytes are sent; answers the media item that they become',
    params: mediaId,
    status: 202,
    answer: MediaView,
    problems: ['not_found', 'upload_incomplete', 'upload_closed'],
  }),
  abortUpload: op({
    method: 'DELETE',
    path: '/uploads/{id}',
    tag: 'Uploads',
    summary: 'Abort an unfinished upload',
    params: mediaId,
    status: 204,
    answer: null,
    problems: ['not_found', 'upload_closed', 'conflict'],
  }),
};
