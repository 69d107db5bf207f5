import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { crc64OfFile } from './crc64nvme.ts';

/** Compares a file with S3's checksum of the whole object. Null when they agree or S3 has none, else the algorithm's name. */
export async function checksumOfFile(path: string, head: HeadObjectCommandOutput): Promise<string | null> {
  // A composite checksum is made of the parts' checksums, and the parts' sizes are not known here.
  if (head.ChecksumType === 'COMPOSITE') return null;
  if (head.ChecksumCRC64NVME) return (await crc64OfFile(path)) === head.ChecksumCRC64NVME ? null : 'CRC64NVME';
  if (head.ChecksumCRC32) return (await crc32OfFile(path)) === head.ChecksumCRC32 ? null : 'CRC32';
  return null;
}

async function crc32OfFile(path: string): Promise<string> {
  let value = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) value = crc32(chunk, value);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}
