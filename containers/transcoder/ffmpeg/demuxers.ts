import { LIMITS } from '../../../core/media/limits.ts';

/** The only demuxers that may read an upload: containers and raw streams of media, none that opens another file. */
const DEMUXERS = [
  'mov,mp4,m4a,3gp,3g2,mj2',
  'matroska,webm',
  'avi,flv,live_flv,asf,mxf,gxf,rm,nut,ivf,dv,wtv,swf',
  'mpegts,mpeg,pva,mpegvideo,m4v,h264,hevc,obu,dnxhd,yuv4mpegpipe',
  'gif,apng',
  'ogg,wav,w64,mp3,flac,aac,aiff,au,caf,amr,ac3,eac3,dts,dtshd,truehd,ape,wv,tta,tak,mpc,mpc8,dsf,iff,oma,loas,voc,qcp,mlp,sox,ircam,nistsphere,dss,vqf,act',
].join(',');

/**
 * How far FFmpeg reads to learn what a file holds: in transport streams, MPEG and FLV files a track may begin after the 5 MB and 5 to 90 s
 * that are its own limits. It stops earlier where the header names all tracks, and each is understood.
 */
const DEPTH = ['-analyzeduration', '90000000', '-probesize', String(64 * 1024 * 1024)];

/** The protocols of a source on the disk. */
export const FILES_ONLY = ['-protocol_whitelist', 'file'];

/**
 * Input options that restrict FFmpeg to the one source that it is given (no other file or address, no playlists, no references), and to pictures of a size
 * that fits in memory, also where it decodes one only to learn its format. All runs see the same tracks.
 */
export function confined(protocols: readonly string[] = FILES_ONLY): string[] {
  return [...protocols, '-format_whitelist', DEMUXERS, '-max_pixels', String(LIMITS.pixels), ...DEPTH];
}
