import { readFile } from 'node:fs/promises';
import { H264_AAC, make, picture, tone } from '../media.ts';

const PICTURE = picture('96x64', '10', 1);
const TONE = tone(1);
const FILM = [...PICTURE, ...TONE, ...H264_AAC, '-g', '5'];

/** Twenty containers of a second, most with picture and sound: the arguments of ffmpeg that make each. */
const SOURCES: readonly string[][] = [
  [...FILM, '-bf', '2', 'plain.mp4'],
  [...FILM, '-movflags', '+frag_keyframe+empty_moov', 'fragmented.mp4'],
  [...PICTURE, ...TONE, '-c:v', 'mjpeg', '-c:a', 'pcm_s16le', 'jpeg.mov'],
  [...FILM, 'film.mkv'],
  [...PICTURE, ...TONE, '-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus', 'film.webm'],
  [...PICTURE, ...TONE, '-c:v', 'mpeg4', '-c:a', 'libmp3lame', 'film.avi'],
  [...FILM, '-ar', '44100', 'film.flv'],
  [...FILM, 'film.ts'],
  [...picture('96x64', '25', 1), ...TONE, '-c:v', 'mpeg2video', '-c:a', 'mp2', 'film.mpg'],
  [...FILM, 'film.3gp'],
  [...PICTURE, ...TONE, '-c:v', 'wmv2', '-c:a', 'wmav2', 'film.wmv'],
  [...picture('96x64', '25', 1), ...TONE, '-c:v', 'mpeg2video', '-c:a', 'pcm_s16le', 'film.mxf'],
  [...PICTURE, ...TONE, '-c:v', 'mpeg4', '-c:a', 'ac3', 'film.nut'],
  [...PICTURE, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '5', 'raw.h264'],
  [...TONE, '-c:a', 'libopus', '-page_duration', '100000', 'sound.ogg'],
  [...TONE, '-c:a', 'libmp3lame', 'sound.mp3'],
  [...TONE, '-c:a', 'aac', 'sound.m4a'],
  [...TONE, '-c:a', 'flac', 'sound.flac'],
  [...TONE, '-c:a', 'pcm_s16le', 'sound.wav'],
  [...TONE, '-c:a', 'aac', 'sound.aac'],
];

export interface SourceFile {
  name: string;
  path: string;
  bytes: Buffer;
}

export async function makeSources(directory: string): Promise<SourceFile[]> {
  const files: SourceFile[] = [];
  for (const args of SOURCES) {
    const path = await make(directory, ...args);
    files.push({ name: args.at(-1) ?? '', path, bytes: await readFile(path) });
  }
  return files;
}
