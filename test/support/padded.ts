import { appendFile } from 'node:fs/promises';

/** Makes an MP4 as large as what the archive moves to another class: by a box `free` at its end, which no reader looks into. */
export async function pad(file: string, bytes = 10_000_000): Promise<string> {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(bytes);
  header.write('free', 4);
  await appendFile(file, Buffer.concat([header, Buffer.alloc(bytes - header.length)]));
  return file;
}
