import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { HashedFile } from '../../../core/contracts/archive-job.ts';
import { Crc64Nvme } from '../crc64nvme.ts';

/** Both hashes of a file, read once. */
export async function hashFile(path: string): Promise<HashedFile> {
  const sha256 = createHash('sha256');
  const crc = new Crc64Nvme();
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    sha256.update(chunk);
    crc.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: sha256.digest('hex'), crc64nvme: crc.digest() };
}
