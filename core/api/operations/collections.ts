import { z } from 'zod';
import {
  CollectionPage,
  CollectionPatchRequest,
  CollectionRequest,
  CollectionView,
} from '../../contracts/http/collections.ts';
import { CollectionId } from '../../contracts/ids.ts';
import { op, owner, page } from '../operation.ts';

const collectionId = z.object({ id: CollectionId });

export const collectionsOperations = {
  listCollections: op({
    method: 'GET',
    path: '/collections',
    tag: 'Collections',
    summary: 'List collections by id',
    query: page,
    status: 200,
    answer: CollectionPage,
    problems: ['invalid_cursor'],
  }),
  createCollection: op({
    method: 'POST',
    path: '/collections',
    tag: 'Collections',
    summary: 'Create a collection',
    body: CollectionRequest,
    status: 201,
    answer: CollectionView,
    etag: true,
    problems: ['already_exists', 'conflict'],
  }),
  getCollection: op({
    method: 'GET',
    path: '/collections/{id}',
    tag: 'Collections',
    summary: 'Get a collection',
    params: collectionId,
    query: owner,
    status: 200,
    answer: CollectionView,
    etag: true,
    problems: ['not_found'],
  }),
  patchCollection: op({
    method: 'PATCH',
    path: '/collections/{id}',
    tag: 'Collections',
    summary: 'Change its settings',
    params: collectionId,
    query: owner,
    body: CollectionPatchRequest,
    status: 200,
    answer: CollectionView,
    etag: true,
    problems: ['not_found', 'conflict', 'precondition_failed'],
  }),
  deleteCollection: op({
    method: 'DELETE',
    path: '/collections/{id}',
    tag: 'Collections',
    summary: 'Delete an empty collection',
    params: collectionId,
    query: owner,
    status: 204,
    answer: null,
    problems: ['not_found', 'not_empty'],
  }),
  retranscodeCollection: op({
    method: 'POST',
    path: '/collections/{id}/retranscode',
    tag: 'Collections',
    summary: 'Flag every media item of the collection for a new encode',
    params: collectionId,
    query: owner,
    status: 202,
    answer: CollectionView,
    problems: ['not_found'],
  }),
};
