/**
 * FFmpeg on a machine whose GPU works, as far as a machine without one can stand for it: libx264 in the place of h264_nvenc, with the same
 * rate, cap, times and keyframes, its scaler in the place of scale_cuda, and no -hwaccel. GPU_FFMPEG is the real program; GPU_FAULT=decode
 * complains of a picture, GPU_FAULT=cap has no cap, GPU_FAULT=scale has no scaler.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';

const fault = process.env.GPU_FAULT;
const given = process.argv.slice(2);
const decodes = given.includes('-hwaccel');
const args = [];
/** Options of NVENC that x264 does not have, each with a value. */
const NVENC_ONLY = /^-(gpu|tune|rc|cq|b|spatial-aq|b_ref_mode|forced-idr|rc-lookahead|no-scenecut|hwaccel)(:v)?$/;
for (let i = 0; i < given.length; i++) {
  const [name = '', value = ''] = given.slice(i);
  if (NVENC_ONLY.test(name)) i++;
  else if (value === 'h264_nvenc') {
    args.push(name, 'libx264', '-sc_threshold:v', '0', ...(fault === 'cap' ? ['-qp', '0'] : ['-crf', '23']));
    i++;
  } else if (name === '-preset:v' && value === 'p5') {
    args.push(name, 'ultrafast');
    i++;
  } else if (fault === 'cap' && /^-(maxrate|profile)/.test(name)) i++;
  else if (name === '-maxrate:v') {
    args.push(name, value, '-bufsize:v', value);
    i++;
  } else args.push(inMemory(name));
}
if (decodes && fault === 'decode') process.stderr.write('[h264 @ 0x1] [error] Failed setup for format cuda\n');
const { status } = spawnSync(process.env.GPU_FFMPEG ?? 'ffmpeg', args, {
  stdio: [0, 1, 2, 3, 4, 5].map((fd) => (isOpen(fd) ? fd : 'ignore')),
});
process.exit(status ?? 1);

/** Of a graph, the filters of a GPU, each by that which does the same in memory; and the format of its pictures. */
function inMemory(arg) {
  if (arg === 'cuda') return 'yuv420p';
  if (fault === 'scale') return arg;
  const scaled = arg.replaceAll('scale_cuda=', 'scale=').replaceAll('interp_algo=bilinear', 'flags=bicubic');
  return scaled.replaceAll(',hwupload_cuda', '');
}

function isOpen(fd) {
  try {
    return fs.fstatSync(fd) !== undefined;
  } catch {
    return false;
  }
}
