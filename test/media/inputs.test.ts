import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeAll, ffmpegMajor, H264_AAC, make, picture, temporaryDirectory, tone } from '../support/media.ts';
import { transcodeFile } from '../support/transcode.ts';

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
beforeAll(async () => {
  directory = await temporaryDirectory();
});
afterAll(async () => {
  await directory[Symbol.asyncDispose]();
});

interface VideoCase {
  title: string;
  /** Arguments of ffmpeg that make it; several commands where one does not do. */
  made: string[][];
  rungs: string[];
  /** Where it is larger than the largest rung. */
  mp4?: { width: number; height: number };
  seconds: number;
  frames: number;
  frameRate: number;
  /** Channels; absent where there is no sound. */
  channels?: number;
}

const PLAIN = [...picture('640x480'), ...tone(), ...H264_AAC];
/** FFmpeg 6 and later take it before the input; earlier ones as metadata of the output. */
const TURNED = (await ffmpegMajor()) >= 6 ? ['-display_rotation', '-90'] : [];
/** 1.5 s at 25 frames per second are 37.5: the encoder makes 38. */
const usual = { seconds: 1.52, frames: 38, frameRate: 25 };
const VGA = ['480p 640x480', '360p 480x360'];

const VIDEOS: VideoCase[] = [
  {
    title: 'a phone video that is rotated by its metadata is encoded upright',
    made: [
      [...PLAIN, 'upright.mp4'],
      [...TURNED, '-i', 'upright.mp4', '-c', 'copy', '-metadata:s:v', 'rotate=90', 'turned.mp4'],
    ],
    rungs: ['480p 480x640', '360p 360x480'],
    ...usual,
    channels: 1,
  },
  {
    title: 'a variable frame rate keeps its times',
    made: [
      [
        ...picture('640x480'),
        ...tone(),
        '-vf',
        "select='not(mod(n,3))+gt(n,20)'",
        '-fps_mode',
        'vfr',
        ...H264_AAC,
        'vfr.mp4',
      ],
    ],
    rungs: VGA,
    seconds: 1.52,
    frames: 24,
    frameRate: 15.789,
    channels: 1,
  },
  { title: 'a video without sound', made: [[...picture('640x480'), ...H264_AAC, 'mute.mp4']], rungs: VGA, ...usual },
  {
    title: 'six channels become two',
    made: [
      [
        ...picture('640x480'),
        ...tone(),
        '-filter_complex',
        '[1:a]pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0',
        ...H264_AAC,
        'surround.mp4',
      ],
    ],
    rungs: VGA,
    ...usual,
    channels: 2,
  },
  {
    title: 'odd dimensions become even ones',
    made: [
      [
        ...picture('854x480'),
        '-vf',
        'crop=853:479:exact=1',
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv444p',
        'odd.mp4',
      ],
    ],
    rungs: ['480p 852x478', '360p 640x360'],
    ...usual,
  },
  {
    title: 'a video smaller than every rung gets one of its own size',
    made: [[...picture('426x240'), ...tone(), ...H264_AAC, 'small.mp4']],
    rungs: ['240p 426x240'],
    ...usual,
    channels: 1,
  },
  {
    title: '4K becomes 1080p, and an MP4 of 2400 pixels',
    made: [[...picture('3840x2160', '5', 1), ...H264_AAC, 'uhd.mp4']],
    rungs: ['1080p 1920x1080', '720p 1280x720', '480p 854x480', '360p 640x360'],
    mp4: { width: 2400, height: 1350 },
    seconds: 1,
    frames: 5,
    frameRate: 5,
  },
  {
    title: '10 bits and 4:2:2 become 8 bits and 4:2:0',
    made: [
      [
        ...picture('640x480'),
        ...tone(),
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-pix_fmt',
        'yuv422p10le',
        '-c:a',
        'aac',
        'deep.mp4',
      ],
    ],
    rungs: VGA,
    ...usual,
    channels: 1,
  },
  {
    title: 'anamorphic pixels become square',
    made: [[...picture('720x576'), '-vf', 'setsar=16/11', ...H264_AAC, 'anamorphic.mp4']],
    rungs: ['576p 1046x576', '480p 854x470', '360p 640x352'],
    ...usual,
  },
  {
    title: '60 frames per second stay 60',
    made: [[...picture('640x360', '60'), ...tone(), ...H264_AAC, 'fps60.mp4']],
    rungs: ['360p 640x360'],
    seconds: 1.5,
    frames: 90,
    frameRate: 60,
    channels: 1,
  },
  {
    title: '120 frames per second become 60',
    made: [[...picture('640x360', '120'), ...tone(), ...H264_AAC, 'fps120.mp4']],
    rungs: ['360p 640x360'],
    seconds: 1.5,
    frames: 90,
    frameRate: 60,
    channels: 1,
  },
  {
    title: '23.976 frames per second stay 23.976',
    made: [[...picture('640x360', '24000/1001'), ...tone(), ...H264_AAC, 'film.mp4']],
    rungs: ['360p 640x360'],
    seconds: 1.502,
    frames: 36,
    frameRate: 23.976,
    channels: 1,
  },
  {
    title: 'interlaced video is deinterlaced, frame by frame',
    made: [
      [
        ...picture('640x480', '50'),
        ...tone(),
        '-vf',
        'interlace',
        '-flags',
        '+ilme+ildct',
        ...H264_AAC,
        'interlaced.mp4',
      ],
    ],
    rungs: VGA,
    seconds: 1.48,
    frames: 37,
    frameRate: 25,
    channels: 1,
  },
  {
    title: 'the first of two video tracks is encoded',
    made: [
      [
        ...picture('640x480'),
        ...picture('320x240'),
        ...tone(),
        '-map',
        '0',
        '-map',
        '1',
        '-map',
        '2',
        ...H264_AAC,
        'two.mp4',
      ],
    ],
    rungs: VGA,
    ...usual,
    channels: 1,
  },
  { title: 'Matroska', made: [[...PLAIN, 'a.mkv']], rungs: VGA, ...usual, seconds: 1.541, channels: 1 },
  {
    title: 'WebM',
    made: [
      [
        ...picture('640x480'),
        ...tone(),
        '-c:v',
        'libvpx',
        '-deadline',
        'realtime',
        '-cpu-used',
        '8',
        '-c:a',
        'libopus',
        'a.webm',
      ],
    ],
    rungs: VGA,
    ...usual,
    seconds: 1.53,
    channels: 1,
  },
  { title: 'QuickTime', made: [[...PLAIN, 'a.mov']], rungs: VGA, ...usual, channels: 1 },
  {
    title: 'AVI',
    made: [[...picture('640x480'), ...tone(), '-c:v', 'mpeg4', '-c:a', 'mp3', 'a.avi']],
    rungs: VGA,
    ...usual,
    seconds: 1.56,
    channels: 1,
  },
  { title: 'an MPEG transport stream', made: [[...PLAIN, 'a.ts']], rungs: VGA, ...usual, seconds: 1.541, channels: 1 },
  {
    title: '0.4 seconds',
    made: [[...picture('640x480', '25', 0.4), ...tone(0.4), ...H264_AAC, 'short.mp4']],
    rungs: VGA,
    seconds: 0.4,
    frames: 10,
    frameRate: 25,
    channels: 1,
  },
  {
    title: 'a single frame',
    made: [[...picture('640x360', '25', 0.04), ...H264_AAC, 'frame.mp4']],
    rungs: ['360p 640x360'],
    seconds: 0.04,
    frames: 1,
    frameRate: 25,
  },
  {
    title: 'silence',
    made: [[...picture('640x480'), '-f', 'lavfi', '-i', 'anullsrc=d=1.5', '-shortest', ...H264_AAC, 'silent.mp4']],
    rungs: VGA,
    ...usual,
    channels: 2,
  },
  {
    title: 'audio with gaps that are long in sum only',
    made: [
      [
        ...picture('640x360', '25', 4),
        ...['-f', 'lavfi', '-i', 'sine=d=4:r=48000,asetnsamples=1024,aselect=not(eq(n\\,40)+eq(n\\,80)+eq(n\\,120))'],
        ...['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'pcm_s16le', 'gaps.mkv'],
      ],
    ],
    rungs: ['360p 640x360'],
    seconds: 4,
    frames: 100,
    frameRate: 25,
    channels: 1,
  },
  {
    title: 'a black picture',
    made: [['-f', 'lavfi', '-i', 'color=black:s=640x480:r=25:d=1.5', ...tone(), ...H264_AAC, 'black.mp4']],
    rungs: VGA,
    ...usual,
    channels: 1,
  },
];

test.each(VIDEOS)('$title', async ({ made, rungs, mp4, seconds, frames, frameRate, channels }) => {
  let source = '';
  for (const args of made) source = await make(directory.path, ...args);
  const { result, out } = await transcodeFile(directory.path, source);

  expect(result.kind).toBe('video');
  expect(result.renditions.map(({ name, width, height }) => `${name} ${width}x${height}`)).toEqual(rungs);
  for (const [i, rendition] of result.renditions.entries()) {
    expect(rendition.frameRate).toBeCloseTo(frameRate, 2);
    expect(Math.abs(rendition.durationSeconds - seconds)).toBeLessThanOrEqual(0.05);
    // The MP4, which has to be Main, shares the largest where it has its size.
    const profile = i === 0 && !mp4 ? '4D40' : '6400';
    expect(rendition.codecs).toMatch(new RegExp(`^avc1\\.${profile}[0-9A-F]{2}${channels ? ',mp4a\\.40\\.2' : ''}$`));
  }
  expect(result.audio.map((group) => group.channels)).toEqual(result.audio.map(() => channels));
  expect(result.audio.length > 0).toBe(channels !== undefined);

  const [top] = result.renditions;
  const [picture, sound] = await decodeAll(join(out, result.mp4 ?? ''));
  expect(picture).toMatchObject({ codec: 'h264', frames, ...(mp4 ?? { width: top?.width, height: top?.height }) });
  expect(sound?.codec).toBe(channels ? 'aac' : undefined);
  expect(await decodeAll(join(out, top?.playlist ?? ''))).toMatchObject([{ frames }]);
  expect(await decodeAll(join(out, result.poster ?? ''))).toMatchObject([{ width: Math.min(320, top?.width ?? 0) }]);
  const large = { width: top?.width, height: top?.height };
  expect(await decodeAll(join(out, result.posterLarge ?? ''))).toMatchObject([large]);
  expect(await decodeAll(join(out, result.thumbnail ?? ''))).toMatchObject([
    { width: Math.min(1280, top?.width ?? 0) },
  ]);
});

const SOUNDS: [string, string[]][] = [
  ['MP3', ['a.mp3']],
  ['FLAC', ['a.flac']],
  ['WAV', ['a.wav']],
  ['Opus', ['-c:a', 'libopus', 'a.opus']],
  ['AAC in MP4', ['a.m4a']],
  ['bare AAC', ['a.aac']],
];

test.each(SOUNDS)('an audio file as %s gets two renditions, a preview and a waveform', async (_, output) => {
  const source = await make(directory.path, ...tone(), ...output);
  await expectSound(source);
});

test('the cover picture of an MP3 is not encoded as video', async () => {
  await make(directory.path, ...picture('300x300'), '-frames:v', '1', 'cover.png');
  const cover = ['-i', 'cover.png', '-map', '0', '-map', '1', '-c:v', 'copy', '-disposition:v', 'attached_pic'];
  await expectSound(await make(directory.path, ...tone(), ...cover, 'cover.mp3'));
});

async function expectSound(source: string): Promise<void> {
  const { result, out } = await transcodeFile(directory.path, source);
  expect(result).toMatchObject({ kind: 'audio', audio: [], waveform: 'waveform.json' });
  expect(result.renditions.map(({ name, playlist }) => [name, playlist])).toEqual([
    ['128k', '128k.m3u8'],
    ['64k', '64k.m3u8'],
  ]);
  expect(result.preview?.playlists).toEqual(['preview/preview.m3u8', 'preview/128k.m3u8', 'preview/128k.mp4']);
  for (const { durationSeconds, playlist } of result.renditions) {
    expect(Math.abs(durationSeconds - 1.5)).toBeLessThanOrEqual(0.05);
    const [track] = await decodeAll(join(out, playlist));
    expect(track).toMatchObject({ codec: 'aac' });
  }
}
