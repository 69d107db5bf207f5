import { expect } from 'vitest';
import { MediaView } from '../../core/contracts/http/media.ts';
import { Upload } from '../../core/contracts/http/uploads.ts';
import type { Api } from './api.ts';
import { eventually } from './cloud.ts';

/** An upload of these bytes that the API has announced; nothing is sent. */
export async function announce(api: Api, bytes: Buffer, more: object = {}): Promise<Upload> {
  const body = { fileName: 'clip.mp4', size: bytes.length, contentType: 'video/mp4', ...more };
  const { status, body: upload } = await api('POST', '/uploads', { body });
  expect(status, JSON.stringify(upload)).toBe(201);
  return Upload.parse(upload);
}

/** Announces, sends by one PUT and completes. @returns the media item's id */
export async function uploadWhole(api: Api, bytes: Buffer, more: object = {}): Promise<string> {
  const { id, put } = await announce(api, bytes, more);
  const sent = await fetch(put?.url ?? '', { method: 'PUT', headers: put?.headers ?? {}, body: bytes });
  expect(sent.status, await sent.text()).toBe(200);
  const { status } = await api('POST', `/uploads/${id}/complete`);
  expect(status).toBe(202);
  return id;
}

/** The media item, as soon as it passes `test`. @throws with its last answer after 90 s */
export async function becomes(api: Api, id: string, test: (media: MediaView) => boolean): Promise<MediaView> {
  let last: unknown;
  const check = async () => {
    const { body } = await api('GET', `/media/${id}`);
    last = body;
    const media = MediaView.parse(body);
    return test(media) && media;
  };
  try {
    return await eventually(`${id} changes`, check, 90_000);
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  }
}
