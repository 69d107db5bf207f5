import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { H264_AAC, make, picture, TOOLS, temporaryDirectory, tone } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

/** The last sound of the file has a codec that nobody knows. */
async function withUnknownCodec(path: string): Promise<string> {
  const bytes = await readFile(path);
  bytes.write('A_QQQ', bytes.lastIndexOf('A_AAC'));
  await writeFile(path, bytes);
  return path;
}

const SMALL = picture('160x120', '10', 1);

test('sound that nothing decodes leaves a mute video, and is named', async () => {
  const source = await make(directory.path, ...SMALL, ...tone(1), ...H264_AAC, 'mute.mkv');
  const { result } = await transcodeFile(directory.path, await withUnknownCodec(source));
  expect(result.audio).toEqual([]);
  expect(result.skipped).toContainEqual({
    what: 'audio track 1',
    why: 'No decoder here reads a codec that FFmpeg does not support.',
  });
  expect(result.warnings).toEqual([
    {
      code: 'track_skipped',
      message: 'The audio track 1 was not taken. No decoder here reads a codec that FFmpeg does not support.',
    },
  ]);
});

test('an audio track with a decoder is selected, though one without is the default', async () => {
  const tracks = ['-map', '0', '-map', '1', '-map', '1', '-disposition:a:0', '0', '-disposition:a:1', 'default'];
  const source = await make(directory.path, ...SMALL, ...tone(1), ...tracks, ...H264_AAC, 'default.mkv');
  const { result } = await transcodeFile(directory.path, await withUnknownCodec(source));
  expect(result.audio.map(({ id }) => id)).toEqual(['audio-64k']);
  expect(result.skipped.map(({ what }) => what)).toContain('audio track 2');
});

test('the playlist names the language of an audio track', async () => {
  const german = ['-metadata:s:a:0', 'language=ger'];
  const source = await make(directory.path, ...SMALL, ...tone(1), ...german, ...H264_AAC, 'german.mkv');
  const { result } = await transcodeFile(directory.path, source);
  expect(result.audio.map(({ language }) => language)).toEqual(['de']);
});

/** A message with one pair of CEA-608 bytes ("resume caption loading"), as ATSC A/53 part 4 puts it before a picture of H.264. */
const CAPTION = Buffer.from(
  '000000010604' + '0e' + 'b50031' + '47413934' + '03' + 'c1ff' + 'fc9420' + 'ff' + '80',
  'hex',
);

/** The same raw H.264 with that message before each picture. */
async function captioned(path: string): Promise<string> {
  const bytes = await readFile(path);
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf('000001', 0, 'hex'); at >= 0; at = bytes.indexOf('000001', at + 3, 'hex')) {
    const type = (bytes[at + 3] ?? 0) & 31;
    if (type !== 1 && type !== 5) continue;
    parts.push(bytes.subarray(from, at), CAPTION);
    from = at;
  }
  await writeFile(path, Buffer.concat([...parts, bytes.subarray(from)]));
  return path;
}

test('captions in the picture are kept and announced', async () => {
  const raw = await make(directory.path, ...SMALL, ...H264_AAC, '-x264-params', 'slices=1', 'raw.h264');
  const source = await make(directory.path, '-i', await captioned(raw), '-c', 'copy', 'captions.mp4');
  const { result, out } = await transcodeFile(directory.path, source);
  expect(result.captions).toBe(true);
  for (const file of [join(out, result.renditions[0]?.playlist ?? ''), join(out, result.mp4 ?? '')]) {
    const entries = ['-show_frames', '-show_entries', 'frame_side_data=side_data_type', '-of', 'csv=p=0'];
    const { stdout } = await execa(TOOLS.ffprobe, ['-v', 'error', '-select_streams', 'v', ...entries, file]);
    expect(stdout.match(/ATSC A53/g)).toHaveLength(10);
  }
  const plain = await make(directory.path, ...SMALL, ...H264_AAC, 'plain.mp4');
  expect((await transcodeFile(directory.path, plain)).result.captions).toBe(false);
});

test('the result reports every track, and warns of subtitles, chapters and attachments', async () => {
  await writeFile(join(directory.path, 'talk.srt'), '1\n00:00:00,000 --> 00:00:01,000\nHallo\n');
  const marks = [0, 1].map((i) => `[CHAPTER]\nTIMEBASE=1/2\nSTART=${i}\nEND=${i + 1}\ntitle=Part ${i}\n`);
  await writeFile(join(directory.path, 'chapters.txt'), `;FFMETADATA1\n${marks.join('')}`);
  await writeFile(join(directory.path, 'font.ttf'), 'glyphs');
  const inputs = [...SMALL, ...tone(1), '-i', 'talk.srt', '-i', 'chapters.txt'];
  const tracks = ['-map', '0', '-map', '1', '-map', '1', '-map', '2', '-map_metadata', '3', '-map_chapters', '3'];
  const tags = [
    '-metadata:s:a:1',
    'language=fre',
    '-metadata:s:s:0',
    'language=ger',
    '-metadata:s:t',
    'mimetype=application/x-truetype-font',
  ];
  const args = [...inputs, ...tracks, ...H264_AAC, '-c:s', 'srt', '-attach', 'font.ttf', ...tags, 'rich.mkv'];
  const { result } = await transcodeFile(directory.path, await make(directory.path, ...args));
  const sound = { type: 'audio', codec: 'aac', channels: 1, sampleRate: 48_000 };
  expect(result.source).toMatchObject({ container: 'matroska,webm' });
  expect(result.source.tracks).toEqual([
    { index: 0, type: 'video', codec: 'h264', width: 160, height: 120, taken: true },
    { index: 1, ...sound, taken: true },
    { index: 2, ...sound, language: 'fr', taken: false, why: 'Of several audio tracks one is taken.' },
    { index: 3, type: 'subtitle', codec: 'subrip', language: 'de', taken: false, why: 'Subtitles are not carried.' },
    { index: 4, type: 'attachment', codec: 'ttf', taken: false, why: 'It is neither picture nor sound.' },
  ]);
  expect(result.warnings).toEqual([
    { code: 'track_skipped', message: 'The audio track 2 (fr) was not taken. Of several audio tracks one is taken.' },
    { code: 'subtitles_dropped', message: 'Tracks of subtitles (de): 1; not carried.' },
    { code: 'chapters_dropped', message: 'Chapters: 2; not carried.' },
    { code: 'extras_dropped', message: 'Covers, attachments and data: 1; not carried.' },
  ]);
});
