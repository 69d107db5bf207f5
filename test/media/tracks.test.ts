import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CAPTION, captioned, captionMessage, captionsIn, ONE_SLICE } from '../support/captions.ts';
import { H264_AAC, make, picture, temporaryDirectory, tone } from '../support/media.ts';
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

test('captions in the picture are kept and announced', async () => {
  const raw = await make(directory.path, ...SMALL, ...ONE_SLICE, 'raw.h264');
  const source = await make(directory.path, '-i', await captioned(raw, 0), '-c', 'copy', 'captions.mp4');
  const { result, out } = await transcodeFile(directory.path, source);
  expect(result.captions).toBe(true);
  for (const file of [result.renditions[0]?.playlist, result.mp4]) {
    expect(await captionsIn(join(out, file ?? ''))).toBe(10);
  }
});

test('captions in several channels and services are each announced', async () => {
  const raw = await make(directory.path, ...SMALL, ...ONE_SLICE, 'channels.h264');
  // CC1, CC3, and a packet of CEA-708 with two bytes of service 1.
  const message = captionMessage(['fc9420', 'fd9425', 'ff0222', 'fe4142']);
  const source = await make(directory.path, '-i', await captioned(raw, 0, message), '-c', 'copy', 'channels.mp4');
  const { result } = await transcodeFile(directory.path, source);
  expect(result.captionChannels).toEqual(['CC1', 'CC3', 'SERVICE1']);
});

test('captions of pictures that are left out are said to be lost in part', async () => {
  const raw = await make(directory.path, ...picture('160x120', '120', 1), ...ONE_SLICE, 'fast.h264');
  const source = await make(directory.path, '-r', '120', '-i', await captioned(raw, 0), '-c', 'copy', 'fast.mp4');
  const { result } = await transcodeFile(directory.path, source);
  expect(result.captionChannels).toEqual(['CC1']);
  expect(result.warnings?.map(({ code }) => code)).toEqual(['rate_reduced', 'subtitles_dropped']);
});

test('captions that begin with the last pictures are kept and announced', async () => {
  const raw = await make(directory.path, ...picture('160x120', '10', 4), ...ONE_SLICE, 'late.h264');
  const source = await make(directory.path, '-i', await captioned(raw, 37), '-c', 'copy', 'late.ts');
  const { result, out } = await transcodeFile(directory.path, source);
  expect(result.captions).toBe(true);
  expect(await captionsIn(join(out, result.renditions[0]?.playlist ?? ''))).toBe(3);
});

test('what looks like captions and is in no picture is not announced', async () => {
  const plain = await make(directory.path, ...SMALL, ...H264_AAC, 'plain.mp4');
  const box = Buffer.concat([Buffer.from([0, 0, 0, 8 + CAPTION.length]), Buffer.from('free'), CAPTION]);
  await writeFile(plain, Buffer.concat([await readFile(plain), box]));
  const { result } = await transcodeFile(directory.path, plain);
  expect(result.captions).toBe(false);
  expect(result.warnings?.map(({ code }) => code)).toEqual(['subtitles_dropped']);
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

const TWO_PICTURES = [...picture('64x48', '5', 1), ...picture('80x48', '5', 1), ...tone(1)];
const ONE_EACH = ['-map', '0:v', '-map', '1:a'];
const DROPPED = ['-c', 'copy', '-movflags', '+frag_keyframe+empty_moov'];

/** Transport streams one after the other, the second of which begins where the first ends. */
async function joined(name: string, first: string[], second: string[], at: string): Promise<string> {
  const shifted = ['-output_ts_offset', at, 'second.ts'];
  const parts = [await make(directory.path, ...first, 'first.ts'), await make(directory.path, ...second, ...shifted)];
  const path = join(directory.path, name);
  await writeFile(path, Buffer.concat(await Promise.all(parts.map((part) => readFile(part)))));
  return path;
}

interface Choice {
  title: string;
  source: () => Promise<string>;
  /** Width of the picture, if there is one; channels of the sound, if there is any. */
  taken: [width: number | undefined, channels: number | undefined];
  seconds: number;
  warnings: object[];
}

const CHOICES: Choice[] = [
  {
    title: 'the default picture of two',
    source: () =>
      make(
        directory.path,
        ...[...TWO_PICTURES, '-map', '0', '-map', '1', '-map', '2', ...H264_AAC],
        ...['-disposition:v:0', '0', '-disposition:v:1', 'default', 'second.mkv'],
      ),
    taken: [80, 1],
    seconds: 1,
    warnings: [
      { code: 'track_skipped', message: 'The video track 0 was not taken. Of several video tracks one is taken.' },
    ],
  },
  {
    title: 'picture and sound of one programme of two, where each has mono sound',
    source: () =>
      make(
        directory.path,
        ...[...TWO_PICTURES, '-map', '0', '-map', '1', '-map', '2', '-map', '2', ...H264_AAC],
        ...['-program', 'st=0:st=2', '-program', 'st=1:st=3', 'channels.ts'],
      ),
    taken: [64, 1],
    seconds: 1,
    warnings: [
      {
        code: 'track_skipped',
        message: 'The video track 2 was not taken. Of several video tracks one is taken.',
      },
      {
        code: 'track_skipped',
        message: 'The audio track 3 was not taken. It belongs to another programme than the picture.',
      },
    ],
  },
  {
    title: 'sound that begins 10 s after the picture',
    source: () =>
      joined(
        'late.ts',
        [...picture('64x48', '5', 10), ...H264_AAC],
        [...picture('64x48', '5', 1), ...tone(1), ...ONE_EACH, ...H264_AAC],
        '10',
      ),
    taken: [64, 1],
    seconds: 11,
    warnings: [],
  },
  {
    title: 'the picture of a file whose sound is announced and empty',
    source: async () => {
      const whole = await make(directory.path, ...picture('64x48', '5', 1), ...tone(1), ...H264_AAC, 'whole.mp4');
      return make(directory.path, '-i', whole, ...DROPPED, '-bsf:a', 'noise=drop=1', 'mute.mp4');
    },
    taken: [64, undefined],
    seconds: 1,
    warnings: [{ code: 'track_skipped', message: 'The audio track 1 was not taken. It is empty.' }],
  },
  {
    title: 'the sound of a file whose picture is announced and empty',
    source: async () => {
      const whole = await make(directory.path, ...picture('64x48', '5', 1), ...tone(1), ...H264_AAC, 'whole.mkv');
      return make(directory.path, '-i', whole, '-c', 'copy', '-bsf:v', 'noise=drop=1', 'dark.mkv');
    },
    taken: [undefined, 1],
    seconds: 1,
    warnings: [{ code: 'track_skipped', message: 'The video track 0 was not taken. It is empty.' }],
  },
  {
    title: 'the picture of a file whose sound begins after 95 s',
    source: () =>
      make(
        directory.path,
        ...[...picture('64x48', '1', 98), '-itsoffset', '95', ...tone(2), ...ONE_EACH],
        ...['-c:v', 'flv', '-ar', '44100', '-c:a', 'libmp3lame', 'later.flv'],
      ),
    taken: [64, undefined],
    seconds: 98,
    warnings: [
      {
        code: 'track_skipped',
        at: 94.975,
        message:
          'A track of type audio begins at 95.0 s, after the part that is read to find tracks: it was not taken.',
      },
    ],
  },
  {
    title: 'pictures without their alpha channel',
    source: () =>
      make(directory.path, ...picture('64x48', '5', 1), '-pix_fmt', 'yuva420p', '-c:v', 'libvpx-vp9', 'alpha.webm'),
    taken: [64, undefined],
    seconds: 1,
    warnings: [{ code: 'alpha_dropped', message: 'The pictures have an alpha channel, which is not carried.' }],
  },
  {
    title: 'a GIF that moves',
    source: () => make(directory.path, ...picture('64x48', '5', 1), 'moving.gif'),
    taken: [64, undefined],
    seconds: 1,
    warnings: [],
  },
  {
    title: 'an animated PNG',
    source: () => make(directory.path, ...picture('64x48', '5', 1), '-f', 'apng', 'moving.png'),
    taken: [64, undefined],
    seconds: 1,
    warnings: [],
  },
];

test.each(CHOICES)('taken: $title', async ({ source, taken, seconds, warnings }) => {
  const { result } = await transcodeFile(directory.path, await source());
  const tracks = result.source.tracks?.filter((track) => track.taken) ?? [];
  const channels = tracks.find(({ type }) => type === 'audio')?.channels;
  expect([tracks.find(({ type }) => type === 'video')?.width, channels]).toEqual(taken);
  expect(Math.abs((result.source.durationSeconds ?? 0) - seconds)).toBeLessThan(0.1);
  expect(result.warnings).toEqual(warnings);
});
